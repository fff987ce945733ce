"""Rules of the analyst's copy: deny by default, and what each kind of mask does to a value."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from tests.sql.marts_world import PROJECT, contract
from transforms.errors import ConfigurationError
from transforms.governance.copy_rules import load_copy_rules, shipped_copy_rules, shipped_copy_rules_text
from transforms.governance.masking import MACROS, disguise_columns, key_pads, masked
from transforms.identity.tables import TABLES, WORK_TABLES

KEY = bytes(range(32))


@pytest.fixture
def session() -> Any:
    """A DuckDB session with the masks and a key."""
    connection = duckdb.connect()
    for name, pad in key_pads(KEY).items():
        connection.execute(f"set variable {name} = cast(? as blob)", [pad])
    connection.execute("set variable known_codes = ['GLU']")
    for macro in MACROS:
        connection.execute(macro)
    yield connection
    connection.close()


def mask(session: Any, kind: str, value: Any, sql_type: str = "VARCHAR", days: int = -14) -> Any:
    """Mask one value of a person whose dates move by `days`."""
    return session.execute(
        f"select {masked(kind, 'given', sql_type)} from (select cast(? as {sql_type}) as given, timestamp '2026-01-20 06:00:00' as received_time) t, "
        f"(select cast({days} as integer) as days, 'Brabobrack' as family, 'Corduxa' as given) d", [value]).fetchall()[0][0]


def test_every_table_and_column_has_a_rule() -> None:
    """Each model and each table of identity has a treatment, each column of a resource a rule, and no rule speaks of a column that is not."""
    rules = shipped_copy_rules()
    models = [path for schema in ("canonical", "identity") for path in (PROJECT / "models" / schema).rglob("*.sql")]
    tables = {f"{path.relative_to(PROJECT / 'models').parts[0]}.{path.stem}" for path in models if "materialized='view'" not in path.read_text()}
    for table in tables:
        resource = table.removeprefix("canonical.").removesuffix("_version")
        rules.require({table: contract(resource) if resource in rules.resources else ()})
    assert {f"canonical.{resource}_version" for resource in rules.resources} == {table for table in tables if table.endswith("_version")}
    for resource in rules.resources:
        assert set(rules.columns[f"canonical.{resource}"]) == {*contract(resource), "row_hash", "current_hash"}
    assert {table: rules.treatment(table) for table in (*TABLES, *WORK_TABLES)} == \
        {table: "masked" if table == "identity.link" else "empty" for table in (*TABLES, *WORK_TABLES)}


@pytest.mark.parametrize(("tables", "named"), [
    ({"canonical.patient": ["fact_key", "nickname"]}, "canonical.patient.nickname"),
    ({"canonical.patient_version": ["nickname"]}, "canonical.patient_version.nickname"),
    ({"canonical.vital": ["fact_key"]}, "canonical.vital"),
    ({"identity.link": ["patient_key", "comment"]}, "identity.link.comment"),
])
def test_what_no_rule_names_is_refused_by_name(tables: dict[str, list[str]], named: str) -> None:
    """A new table or column is an error that names it, never a copy."""
    with pytest.raises(ConfigurationError, match=named):
        shipped_copy_rules().require(tables)


def test_a_column_has_one_rule() -> None:
    """A column that two rules name, or a rule that nobody knows, is refused."""
    text = shipped_copy_rules_text()
    with pytest.raises(ConfigurationError, match="name_given has two rules"):
        load_copy_rules(text.replace("family_name: [name_family]", "family_name: [name_family, name_given]", 1))
    with pytest.raises(ConfigurationError, match="unknown rule shrug"):
        load_copy_rules(text.replace("drop: [name_suffix", "shrug: [name_suffix", 1))


def test_tokens_are_hmac(session: Any) -> None:
    """A token is HMAC-SHA-256 as Python's own module computes it, the same in every column; null stays null."""
    expected = hmac.new(KEY, "S-0017 ü".encode(), hashlib.sha256).hexdigest()[:32]
    assert mask(session, "token", "S-0017 ü") == mask(session, "key", "S-0017 ü") == expected
    assert mask(session, "token", None) is None


@pytest.mark.parametrize(("value", "sql_type", "moved"), [
    ("1960-03-07", "VARCHAR", "1960-02-22"), ("2026-01-05T10:15:00Z", "VARCHAR", "2025-12-22T10:15:00Z"), ("1960-03", "VARCHAR", "1960-03"),
    ("1960", "VARCHAR", "1960"), ("call Brown at noon", "VARCHAR", None), ("2026-01-05 Brown", "VARCHAR", None), (None, "VARCHAR", None),
    (date(2026, 1, 5), "DATE", date(2025, 12, 22)), (datetime(2026, 1, 5, 23, 30), "TIMESTAMP", datetime(2025, 12, 22, 23, 30)),
])
def test_dates_move_and_keep_their_precision(session: Any, value: Any, sql_type: str, moved: Any) -> None:
    """Dates, times and FHIR's date texts move by the person's days; a text that is no date is gone."""
    assert mask(session, "shift", value, sql_type) == moved


def test_a_time_of_receipt_is_no_time_of_the_source(session: Any) -> None:
    """Where the time of receipt stands for the source's own, it would tell the shift, and is gone."""
    assert mask(session, "sent_time", datetime(2026, 1, 20, 6), "TIMESTAMP") is None
    assert mask(session, "sent_time", datetime(2026, 1, 20, 5), "TIMESTAMP") == datetime(2026, 1, 6, 5)


def test_local_codes_need_the_registry(session: Any) -> None:
    """A local code is shown where the code maps know it; anything else a sender wrote there is a token. Free text is gone."""
    assert mask(session, "known_code", "GLU") == "GLU"
    assert mask(session, "known_code", "Brown") == hmac.new(KEY, b"Brown", hashlib.sha256).hexdigest()[:32]
    assert mask(session, "drop", "Brown") is None


def test_disguises_differ_and_weeks_are_whole(session: Any) -> None:
    """A thousand persons move by 1 to 52 whole weeks, all of them in use, and few share an invented name."""
    session.execute("create table person as select token('p' || i) as human from range(1000) r(i)")
    rows = session.execute(f"select {disguise_columns('human')} from person").fetchall()
    assert {days for days, _, _ in rows} == {-7 * weeks for weeks in range(1, 53)}
    assert len({(family, given) for _, family, given in rows}) > 990
