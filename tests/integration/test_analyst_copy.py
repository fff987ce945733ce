"""The analyst's copy: nothing of the originals in it, joins and intervals whole, the dbt project's answers the same on it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from assets.stores.analyst_copy import KEY_USE, base_tables
from assets.stores.dbt_runner import DEV
from orchestration.dev_copy import make_dev_copy
from orchestration.opening import dbt_runner
from tests.command_line import CommandLine
from tests.conftest import PROJECT
from tests.invariants.leaks import generate_marked, leaks
from tests.pipeline_runs import land_network, landed_partitions
from tests.steps import run_steps
from transforms.governance.copy_rules import shipped_copy_rules

# Answers that do not depend on which day it was: by facility, as sums over all days. Open stays end at the facility's newest batch date,
# which does not move with the person, so their days are left out.
ANSWERS = {
    "encounter summary": "select facility_id, class_code, status, count(*), sum(observation_count), sum(condition_count), sum(order_count), "
                         "count(distinct person_id), sum(length_of_stay_hours) from marts.mart_encounter_summary group by all order by all",
    "readmission": "select facility_id, count(*), count(*) filter (is_readmitted), sum(days_to_readmission), count(distinct person_id) "
                   "from marts.mart_readmission group by all order by all",
    "census": "select facility_id, class_code, location_point_of_care, sum(inpatients - open_stays) as days from marts.mart_daily_census "
              "group by all having sum(inpatients - open_stays) > 0 order by all",
    "volume": "select facility_id, class_code, sum(encounters), sum(results), sum(orders) from marts.mart_facility_volume group by all order by all",
    "turnaround": "select facility_id, result_kind, code_code, count(*), count(order_key), count(encounter_key), sum(order_to_result_minutes), "
                  "count(person_id) from marts.mart_lab_turnaround group by all order by all",
    "person": "select record_count, facility_count, count(*), count(name_family), count(birth_date) from identity.person group by all order by all",
}

PAGE = PROJECT / "docs" / "analyst.md"
HIDDEN = frozenset({"key", "token", "family_name", "drop"})


@dataclass(frozen=True, eq=False)
class Copy:
    """A root, its whole copy, and the values of its people as the generator's truth knows them."""

    root: Any
    settings: Any
    path: Path
    marks: list[str]
    patients: list[dict[str, Any]]

    def token(self, value: str) -> str:
        """The token that the root's key gives a value, by Python's own HMAC."""
        return hmac.new(self.root.keys.derive(KEY_USE), value.encode(), hashlib.sha256).hexdigest()[:32]

    def originals(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the root's warehouse."""
        with self.root.warehouse.open(read_only=True) as warehouse:
            return list(warehouse.connection.execute(sql).fetchall())

    def copied(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the copy."""
        return ask(self.path, sql)


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask a DuckDB file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, open_built_root: Callable[..., Any]) -> Copy:
    """A small network with marked names, run once and copied whole."""
    network = tmp_path_factory.mktemp("network")
    marks = generate_marked(network, seed=17, people=40, days=2, facilities=5, start=date(2026, 1, 5))
    root, settings = open_built_root(tmp_path_factory.mktemp("copied") / "home", network / "facilities.yaml")
    land_network(root, network)
    run_steps(root, "one", landed_partitions(root))
    made = make_dev_copy(root, settings, landed_partitions(root), root.home / "dev")
    return Copy(root, settings, made.path, marks, pq.read_table(network / "truth" / "patients.parquet").to_pylist())


@cache
def texts_of(path: Path) -> dict[str, set[str]]:
    """Give each column of each table of a copy with its values as text, but for the registry's, which speak of no person."""
    found: dict[str, set[str]] = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for table, columns in base_tables(connection).items():
            if not table.startswith("ref."):
                rows = connection.execute(f"select columns(*)::varchar from {table}").fetchall()
                found |= {f"{table}.{column}": set(values) - {None} for column, values in zip(columns, zip(*rows, strict=True), strict=False)}
    return found


def found_in(path: Path, values: Iterable[str]) -> list[str]:
    """Name the columns in which one of the values stands, alone or within a text, and the places in the file's bytes."""
    wanted = [value.lower() for value in values]
    held = {place: "\n".join(texts).lower() for place, texts in texts_of(path).items()}
    # a database file is mostly empty space and numbers
    written = b"\n".join(re.findall(rb"[\x20-\x7e\xc0-\xff]{6,}", path.read_bytes()))
    return [place for place, text in held.items() if any(value in text for value in wanted)] + leaks(wanted, {path.name: written})


@cache
def masked_values(copy: Copy) -> frozenset[str]:
    """Every original that a rule hides (keys, identifiers, contacts, texts, times of receipt), if it is too long to be met by chance and
    no kept code reads the same."""
    rules, values = shipped_copy_rules(), {True: set[str](), False: set[str]()}
    with copy.root.warehouse.open(read_only=True) as warehouse:
        for table, columns in base_tables(warehouse.connection).items():
            if rules.treatment(table) == "masked":
                kinds = [rules.kind(table, column) for column in columns]
                rows = warehouse.connection.execute(f"select columns(*)::varchar from LAKE.{table}").fetchall()
                for kind, texts in zip(kinds, zip(*rows, strict=True), strict=False):
                    if kind in HIDDEN or kind == "keep":
                        values[kind in HIDDEN].update(texts)
    return frozenset(value for value in values[True] - values[False]
                     if value and len(value) > 6 and not re.fullmatch(r"\d{4}-\d\d-\d\d", value))


def test_no_original_is_in_the_copy(copy: Copy) -> None:
    """No name, number, phone, address, key or text of the originals stands in any column, nor in the file's bytes."""
    truth = {str(row[name]) for row in copy.patients for name in ("telecom_phone", "address_line", "identifier_value", "name_family")
             if row.get(name) and len(str(row[name])) > 6}
    assert found_in(copy.path, {*copy.marks, *truth}) == []
    originals = masked_values(copy)
    assert len(originals) > 5_000
    assert {place: len(texts & originals) for place, texts in texts_of(copy.path).items() if texts & originals} == {}


def test_given_names_and_births_are_another_persons(copy: Copy) -> None:
    """Nobody keeps a given name, and each birth date lies 1 to 52 whole weeks before the true one."""
    true = {copy.token(row[0]): row for row in copy.originals("select fact_key, name_given, birth_date from canonical.patient")}
    seen = copy.copied("select fact_key, name_given, birth_date from canonical.patient")
    assert len(seen) == len(true) > 40
    assert [key for key, given, _ in seen if given is not None and given.lower() in str(true[key][1]).lower()] == []
    weeks = {(date.fromisoformat(true[key][2]) - date.fromisoformat(birth)).days / 7 for key, _, birth in seen if birth and len(birth) == 10}
    assert weeks <= set(map(float, range(1, 53)))
    assert len(weeks) > 10


def test_a_planted_original_is_found(copy: Copy, tmp_path: Path) -> None:
    """The search would find a marker within a text, in a column and in the bytes."""
    planted = Path(shutil.copy(copy.path, tmp_path))
    with duckdb.connect(str(planted)) as connection:
        connection.execute("update canonical.observation set value_string = ?", [f"seen by {copy.marks[0].upper()} today"])
    found = found_in(planted, copy.marks)
    assert "canonical.observation.value_string" in found
    assert any(place.startswith("LAKE.duckdb: value") for place in found)


def test_without_the_key_nothing_comes_back(copy: Copy) -> None:
    """The key is not in the file, and trying all originals through plain hashes meets no value of the copy."""
    assert leaks([copy.root.keys.master.hex(), copy.root.keys.derive(KEY_USE).hex()], {"copy": copy.path.read_bytes()}) == []
    assert copy.root.keys.derive(KEY_USE) not in copy.path.read_bytes()
    guesses = {one(value.encode()).hexdigest()[:32] for value in masked_values(copy) for one in (hashlib.md5, hashlib.sha1, hashlib.sha256)}  # noqa: S324 - guesses of one who has no key
    assert [place for place, texts in texts_of(copy.path).items() if texts & guesses] == []


def test_joins_hold(copy: Copy) -> None:
    """What each reference leads to in the warehouse, the token of it leads to in the copy."""
    for fact, column, target in (("encounter", "subject_key", "patient"), ("observation", "encounter_key", "encounter"),
                                 ("encounter", "practitioner_key", "practitioner"), ("patient_identifier", "subject_key", "patient")):
        sql = f"select f.fact_key, t.fact_key from canonical.{fact} f join canonical.{target} t on t.fact_key = f.{column}"
        pairs = {(copy.token(left), copy.token(right)) for left, right in copy.originals(sql)}
        assert pairs, sql
        assert set(copy.copied(sql)) == pairs, sql
    people = "select patient_key, person_id from identity.link"
    assert set(copy.copied(people)) == {(copy.token(left), copy.token(right)) for left, right in copy.originals(people)}


def test_intervals_hold(copy: Copy) -> None:
    """All dates of one person, at every facility, move by the same whole weeks; times of day stay."""
    sql = ("select t.fact_key, coalesce(person.human_key, t.subject_key), t.service_date, t.{0} from canonical.{1} t "
           "left join marts.patient_person person on person.patient_key = t.subject_key where t.service_date is not null")
    moves: dict[str, set[int]] = {}
    for resource, time in (("encounter", "period_start"), ("observation", "effective_datetime"), ("condition", "recorded_date")):
        moved = {row[0]: row for row in copy.copied(sql.format(time, resource))}
        for key, human, day, text in copy.originals(sql.format(time, resource)):
            _, masked_human, masked_day, masked_text = moved[copy.token(key)]
            moves.setdefault(masked_human, set()).add((day - masked_day).days)
            assert (masked_text or "")[10:] == (text or "")[10:]
            assert masked_human == copy.token(human)
    assert len(moves) > 30
    assert all(len(days) == 1 and min(days) % 7 == 0 and 7 <= min(days) <= 364 for days in moves.values())


def test_marts_of_the_copy_answer_alike(copy: Copy) -> None:
    """The dbt project's marts, built from the masked rows by target `dev`, count what the originals count."""
    for name, sql in ANSWERS.items():
        expected = copy.originals(sql)
        assert expected, name
        assert copy.copied(sql) == expected, name


@pytest.mark.soak
def test_the_whole_project_builds_on_the_copy(copy: Copy, tmp_path: Path) -> None:
    """Every model, seed and test of the project runs on the copy as it is, and changes no answer and no survivor."""
    own = Path(shutil.copy(copy.path, tmp_path))
    built = dbt_runner(copy.settings, DEV).build(["*"], {"LAKEHOUSE_DEV_COPY": str(own)})
    assert len(built) > 150
    for sql in (*ANSWERS.values(), "select * from canonical.patient_survivor order by all"):
        assert ask(own, sql) == copy.copied(sql)


def test_a_part_is_whole_and_readers_stay(copy: Copy, build_folder: Path) -> None:
    """The command replaces the copy under a reader's eyes by one of a facility and a day, in which every reference leads where it led."""
    lakehouse = CommandLine(copy.root.home, copy.settings.facilities, build_folder)
    folder = copy.root.home / "part"
    folder.mkdir()
    shutil.copy(copy.path, folder)
    with duckdb.connect(str(folder / "LAKE.duckdb"), read_only=True) as reader:
        said = lakehouse("dev-copy", "--facility", "lakeside", "--from", "2026-01-06", "--to", "2026-01-06", "--out", folder)
        assert said.code == 0, said.err
        assert reader.execute("select count(distinct facility_id) from canonical.encounter").fetchall() == [(5,)]
        with copy.root.warehouse.open():
            pass
    part = folder / "LAKE.duckdb"
    assert list(folder.iterdir()) == [part]
    assert ask(part, "select distinct facility_id from canonical.observation union select distinct facility_id from canonical.patient") == [("lakeside",)]
    taken = copy.originals("select fact_key from canonical.observation where facility_id = 'lakeside' and batch_date = date '2026-01-06'")
    seen = {row[0] for row in ask(part, "select fact_key from canonical.observation")}
    assert {copy.token(row[0]) for row in taken} <= seen
    assert len(seen) < len(copy.originals("select fact_key from canonical.observation where facility_id = 'lakeside'"))
    rules = shipped_copy_rules()
    facts = {name: f"select fact_key from canonical.{name}" for name in rules.resources}
    known = {copy.token(row[0]) for rows in facts.values() for row in copy.originals(rows)}
    held = {row[0] for rows in facts.values() for row in ask(part, rows)}
    led = {(name, column): {row[0] for row in ask(part, f'select "{column}" from canonical.{name}')} & known
           for name in facts for column, kind in rules.columns[f"canonical.{name}"].items() if kind == "key"}
    assert {place for place, keys in led.items() if not keys <= held} == set()
    assert sum(map(len, led.values())) > 2 * len(held), "references were to be looked at, beside each row's own key"
    for name in rules.parts_of_patient:
        rows = copy.originals(f"select subject_key, fact_key from canonical.{name} where subject_key is not null")
        assert {copy.token(fact) for subject, fact in rows if copy.token(subject) in held} <= held, name


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, copy: Copy, build_folder: Path) -> Path:
    """What an analyst has: the project's files, its environment, a copy, and the files that the page tells to write."""
    folder = tmp_path_factory.mktemp("clone") / "lakehouse"
    left_out = shutil.ignore_patterns("cases", "own_cases", "__pycache__", "target", "logs")
    for name in ("orchestration", "assets", "checks", "lineage", "transforms", "tests"):
        shutil.copytree(PROJECT / name, folder / name, ignore=left_out)
    for name in ("pyproject.toml", "workspace.yaml"):
        shutil.copy(PROJECT / name, folder)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    # parsed as it was: dbt parses what the page adds
    shutil.copytree(build_folder / "dbt", folder / ".build" / "dbt", ignore=left_out)
    (folder / "copy").mkdir()
    shutil.copy(copy.path, folder / "copy")
    for path, text in re.findall(r"^`(transforms/\S+)`\n```\w+\n(.*?)^```", PAGE.read_text(), re.M | re.S):
        assert not (folder / path).exists(), f"the page's example {path} is no example any more"
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_the_page_leads_to_a_mart(copy: Copy, clone: Path) -> None:
    """The page's files and commands give a mart that builds on the copy, passes its test, has its lineage and is Snowflake's SQL."""
    commands = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert len(commands) == 4
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAKEHOUSE_")} | {"PYTHONPATH": str(clone)}
    done = subprocess.run(["bash", "-euc", "\n".join(commands)], cwd=clone, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "marts.mart_condition_volume.conditions comes from" in done.stdout
    assert "raw." in done.stdout.split("comes from")[1]
    counted = ask(clone / "copy" / "LAKE.duckdb", "select facility_id, code_code, sum(conditions) from marts.mart_condition_volume group by all order by all")
    assert counted == copy.originals(
        "select facility_id, code_code, count(*) from canonical.condition where not is_deleted and service_date is not null "
        "and coalesce(verification_status, '') not in ('entered-in-error', 'refuted') group by all order by all")
    assert counted
