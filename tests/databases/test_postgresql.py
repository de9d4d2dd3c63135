"""A table of a real PostgreSQL server, by psycopg's cursor and by ADBC. The server listens in a folder, on no network."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

psycopg = pytest.importorskip("psycopg", reason="psycopg is not here: make test-databases")
adbc = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="ADBC's driver is not here: make test-databases")

from ganvas.data import Rows, read_frame  # noqa: E402
from ganvas.data.stored_frames import store_frame  # noqa: E402
from ganvas.errors import GanvasError  # noqa: E402

SERVERS = Path("/usr/lib/postgresql")  # where Debian puts them, by version
UNPRIVILEGED = "nobody"  # a server refuses to run as root
PEOPLE = """
    CREATE TYPE mood AS ENUM ('calm', 'glad');
    CREATE TABLE people AS SELECT
        n AS id, 18 + n % 50 AS age, (n % 7 * 1.25)::numeric(8, 2) AS fee, (ARRAY['TX', 'CA', NULL])[1 + n % 3] AS state,
        DATE '2024-01-01' + n % 30 AS born, TIMESTAMPTZ '2024-01-01 10:00+02' + n % 30 * INTERVAL '1 hour' AS since,
        n % 2 = 0 AS member, (ARRAY['calm', 'glad'])[1 + n % 2]::mood AS mood, ARRAY[n, 2] AS pair,
        (n % 9)::float8 / 3 AS share
    FROM generate_series(1, 20000) AS n
"""
NAMES = ["id", "age", "fee", "state", "born", "since", "member", "mood", "pair", "share"]
CURSOR_KINDS = ["key", "integer", "number", "category", "date", "date", "category", "category", "text", "number"]


def find_programs() -> Path | None:
    """The folder of the newest server's programs; None if there is no server."""
    folders = [path.parent for path in SERVERS.glob("*/bin/initdb")]
    if folders:
        return max(folders, key=lambda folder: float(folder.parent.name))
    program = shutil.which("initdb")
    return None if program is None else Path(program).parent


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a server that runs while the tests do, with a table of people."""
    programs = find_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL server in {SERVERS} or on the path: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="ganvas-pg-"))  # a short path: that of a socket has 107 characters at most
    as_user: dict[str, Any] = {"user": UNPRIVILEGED} if os.geteuid() == 0 else {}
    if as_user:
        shutil.chown(folder, UNPRIVILEGED)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "check": True, "cwd": folder, **as_user}
    subprocess.run([programs / "initdb", "-D", "data", "-U", "ganvas", "-E", "UTF8", "--no-sync", "-A", "trust"], **quiet)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    try:
        subprocess.run([programs / "pg_ctl", "-D", "data", "-l", "log", "-o", options, "-w", "-t", "180", "start"], **quiet)
        found = f"host={folder} user=ganvas dbname=postgres"
        with psycopg.connect(found) as connection:
            connection.execute(PEOPLE)
        yield found
    finally:
        subprocess.run([programs / "pg_ctl", "-D", "data", "-m", "immediate", "stop"], **(quiet | {"check": False}))
        shutil.rmtree(folder)


def test_a_cursor_is_read_and_stored(address: str) -> None:
    with psycopg.connect(address) as connection:
        for read in (read_frame, lambda cursor: Rows(path=str(store_frame(cursor))).items(())):
            rows = read(connection.execute("SELECT * FROM people ORDER BY id"))
            assert [survey.name for survey in rows.surveys] == NAMES
            assert [survey.kind for survey in rows.surveys] == CURSOR_KINDS
            assert len(rows) == 20_000
            first = {"id": 1, "age": 19, "fee": 1.25, "state": "CA", "born": datetime(2024, 1, 2), "member": "false"}
            assert {name: rows[0][name] for name in first} == first
            assert rows[0]["since"] == datetime(2024, 1, 1, 9), "in UTC"


def test_a_cursor_on_the_server_streams_with_rows_as_dictionaries(address: str) -> None:
    with psycopg.connect(address, row_factory=psycopg.rows.dict_row) as connection, connection.cursor(name="rows") as cursor:
        cursor.execute("SELECT age, state FROM people ORDER BY id")
        assert read_frame(cursor)[1] == {"age": 20, "state": None}


def test_adbc_gives_an_arrow_stream(address: str) -> None:
    host, user, database = (part.partition("=")[2] for part in address.split())
    with adbc.connect(f"postgresql:///{database}?host={host}&user={user}") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, age, state, born, since, member, share FROM people ORDER BY id")
        rows = read_frame(cursor)
        assert [survey.kind for survey in rows.surveys] == ["key", "integer", "category", "date", "date", "category", "number"]
        assert rows[0]["state"] == "CA"
        cursor.execute("SELECT age, age FROM people")
        with pytest.raises(GanvasError, match=r"several columns of one name \(age\)"):
            read_frame(cursor)


def test_errors_of_the_server_are_sentences(address: str) -> None:
    with psycopg.connect(address) as connection:
        cursor = connection.cursor()
        with pytest.raises(GanvasError, match="call its execute"):
            store_frame(cursor)
        with connection.cursor(name="rows") as rows:
            rows.execute("SELECT 1 / (5 - n) FROM generate_series(1, 10) AS n")
            with pytest.raises(GanvasError, match=r"frame cannot be read .*division by zero"):
                store_frame(rows)
