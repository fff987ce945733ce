"""The golden cases end to end: landed, decoded, mapped, published and accounted for, in every order of arrival.

Each case has a facility of its own and all cases share a store, so that a whole set takes some ten pipeline runs.
`LAKEHOUSE_CASES_DIR` names another set of the same form.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assets.models import read_manifest
from assets.spoken import WORDS
from tests.acceptance.case_comparison import FIRST_RECEIVED_STAYS, canonical_differences, differences, ledger_differences
from tests.acceptance.case_lake import CaseLake, open_case_lake
from tests.acceptance.case_rows import Found
from tests.acceptance.golden_cases import ROOTS, SHIPPED, Case, cases, disputed, flags_of_silence

# As many cases are run alone as well: every n-th, so that all formats are among them.
ALONE = 10
READABLE = [case for case in cases() if case.is_readable]


def _parameters(chosen: list[Case]) -> list[Any]:
    marked = []
    for case in chosen:
        marks = []
        if case.id in disputed():
            marks.append(pytest.mark.xfail(reason=disputed()[case.id], strict=False))
        elif not case.is_readable:
            marks.append(pytest.mark.xfail(reason=f"no decoder reads {case.kind} yet", strict=False))
        elif case.missing_tables:
            marks.append(pytest.mark.xfail(reason=f"no table {', '.join(case.missing_tables)} yet", strict=False))
        marked.append(pytest.param(case, id=case.id, marks=marks))
    return marked


def _fail_on(problems: list[str]) -> None:
    if problems:
        pytest.fail("\n".join(["differs from expected.json:", *problems]), pytrace=False)


@pytest.fixture(scope="session")
def in_order(tmp_path_factory: pytest.TempPathFactory, open_built_root: Any) -> CaseLake:
    """All cases file by file, then everything a second time."""
    lake = open_case_lake(open_built_root, tmp_path_factory.mktemp("in-order"), READABLE)
    lake.deliver(lake.one_by_one())
    lake.read("first pass")
    passed = lake.days
    lake.deliver(lake.together())
    lake.read("second pass", passed)
    return lake


@pytest.fixture(scope="session")
def at_once(tmp_path_factory: pytest.TempPathFactory, open_test_root: Any) -> CaseLake:
    """All files of all cases in one batch."""
    lake = open_case_lake(open_test_root, tmp_path_factory.mktemp("at-once"), READABLE)
    lake.deliver(lake.together())
    lake.read("all")
    return lake


@pytest.fixture(scope="session")
def in_reverse(tmp_path_factory: pytest.TempPathFactory, open_built_root: Any) -> CaseLake:
    """All cases file by file, the last file first."""
    lake = open_case_lake(open_built_root, tmp_path_factory.mktemp("in-reverse"), READABLE)
    lake.deliver(lake.one_by_one(reverse=True))
    lake.read("all")
    return lake


def test_cases_are_well_formed() -> None:
    """Every case, those of this project included, keeps the form, the vocabularies and the sums that its validator asks for."""
    for root in ROOTS:
        found = subprocess.run([sys.executable, SHIPPED / "validate_cases.py", root], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("case", _parameters(list(cases())))
def test_file_by_file(case: Case, request: pytest.FixtureRequest) -> None:
    """Delivered one by one in order of name, with a run after each, a case's files give what it expects."""
    _fail_on(differences(case, _found(case, "in_order", "first pass", request), flags_of_silence(case)))


@pytest.mark.parametrize("case", _parameters(list(cases())))
def test_all_at_once(case: Case, request: pytest.FixtureRequest) -> None:
    """All files in one batch give the same as one by one."""
    _fail_on(differences(case, _found(case, "at_once", "all", request), flags_of_silence(case)))


@pytest.mark.parametrize("case", _parameters([case for case in cases() if not case.reasons & FIRST_RECEIVED_STAYS]))
def test_in_reverse(case: Case, request: pytest.FixtureRequest) -> None:
    """The order of arrival changes neither current rows nor outcomes, unless the first of two conflicting units stays."""
    found = _found(case, "in_reverse", "all", request)
    _fail_on([*ledger_differences(case, found), *canonical_differences(case, found)])


@pytest.mark.parametrize("case", _parameters([case for case in cases() if case.expected["units"]]))
def test_second_pass(case: Case, request: pytest.FixtureRequest) -> None:
    """Everything delivered again is a duplicate, whatever became of the first, and changes no current row."""
    again = _found(case, "in_order", "second pass", request)
    outcomes = dict(again.outcomes)
    problems = [] if outcomes == {"duplicate": case.expected["units"]} else [f"second pass: found {outcomes}, for {again.reasons}"]
    _fail_on([*problems, *canonical_differences(case, again)])


@pytest.mark.soak
@pytest.mark.parametrize("case", _parameters(READABLE[:: max(1, len(READABLE) // ALONE)]))
def test_alone(case: Case, tmp_path: Path, open_built_root: Any) -> None:
    """A case gives the same in a store without the others, run by the job that Dagster runs."""
    lake = open_case_lake(open_built_root, tmp_path, [case], by_job=True)
    lake.deliver(lake.one_by_one())
    lake.read("all")
    _fail_on(differences(case, lake.found["all"][case.id], flags_of_silence(case)))


def _found(case: Case, fixture: str, reading: str, request: pytest.FixtureRequest) -> Found:
    """The case's part of a store; a case that no decoder reads has none."""
    if not case.is_readable:
        pytest.fail(f"no decoder reads {case.kind}")
    lake: CaseLake = request.getfixturevalue(fixture)
    return lake.found[reading][case.id]


def test_staging_says_truly_what_it_is_told_by(at_once: CaseLake) -> None:
    """No row of a staging model comes from a message or resource without one of the words of its `told_by`, or from a feed of another resource."""
    models = [node for node in read_manifest(at_once.root.dbt.manifest_path)["nodes"].values() if node["config"].get("told_by")]
    told = {dialect: f"select said.unit_id from LAKE.raw.{table} said where said.{column}" for dialect, (table, column) in WORDS.items()}
    told["extract"] = ("select unit.unit_id from LAKE.raw.raw_unit unit join LAKE.ref.source feed on feed.facility_id = unit.facility_id "
                       "and feed.source = unit.source where feed.resource")
    looked_at = 0
    with at_once.root.warehouse.open(read_only=True) as warehouse:
        for node in models:
            words = ", ".join(f"'{word}'" for word in node["config"]["told_by"])
            found = warehouse.query(f"select count(*) as n, count(*) filter (made.unit_id not in ({told[node['fqn'][2]]} in ({words}))) as untold "
                                    f"from LAKE.staging.{node['name']} made").to_pylist()[0]
            looked_at += found["n"]
            assert found["untold"] == 0, node["name"]
    assert len(models) > 40
    assert looked_at > 300
