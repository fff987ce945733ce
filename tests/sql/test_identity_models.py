"""Identity's dbt models: features normalised as people read them, golden records that survive by rule, only what changed rebuilt."""

from __future__ import annotations

import itertools
import os
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from assets.stores.control import create_control, replace_reference
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.identity import create_tables
from assets.stores.keys import Keys
from assets.stores.shapes import shape_fault
from tests.sql.marts_world import PROJECT, contract
from transforms.facilities.registry import load_registry
from transforms.facilities.registry_tables import registry_tables

QUIET = ["--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none"]


OWN_CONTACTS = """
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- {facility_id: hillside, valid_from: 2026-01-01, name: H, region: r, owner: o, timezone: UTC, charset: utf-8, source_system: s,
   phones: ['+1 (503) 555-0100'], addresses: [{line: '4400 N. Clinic Way', postal_code: 97299-1234}, {line: 'P.O. Box 12', postal_code: '97299'}]}
"""


class Models:
    """A warehouse with hand-written patients, and identity's models run on it."""

    def __init__(self, store: DuckDBStore, folder: Path, manifest: Any) -> None:
        """Create the tables that the models read."""
        self.store, self.folder, self.manifest, self.run_seq = store, folder, manifest, 0
        self.pending: list[tuple[str, list[Any]]] = []
        with store.open() as warehouse:
            create_control(warehouse)
            create_tables(warehouse)
            replace_reference(warehouse, {"facility_contact": registry_tables(load_registry(OWN_CONTACTS))["facility_contact"]})
            for resource in ("patient", "patient_identifier"):
                columns = ", ".join(f'"{name}" {kind}' for name, kind in contract(resource).items())
                warehouse.execute(f"create table canonical.{resource} ({columns})")
        self.dbt("seed")

    def dbt(self, *arguments: str) -> None:
        """Run one dbt command in process."""
        before = dict(os.environ)
        os.environ.update(self.store.environment() | {"LAKEHOUSE_RUN_ID": "r", "LAKEHOUSE_RUN_SEQ": str(self.run_seq)})
        where = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder), "--target", "local",
                 "--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        try:
            outcome = dbtRunner(manifest=self.manifest).invoke([*QUIET, *arguments, *where])
        finally:
            DuckDBConnectionManager.close_all_connections()
            os.environ.clear()
            os.environ.update(before)
        if not outcome.success:
            raise AssertionError("; ".join(str(result.message) for result in outcome.result.results))

    def say(self, resource: str, key: str, **columns: Any) -> None:
        """Put a current row, as the next run found it."""
        row = {"fact_key": key, "facility_id": "riverside", "is_deleted": False} | columns
        names = ", ".join(f'"{name}"' for name in row)
        self.pending += [
            (f"delete from canonical.{resource} where fact_key = ?", [key]),
            (f"insert into canonical.{resource} ({names}) values ({', '.join('?' * len(row))})", list(row.values())),
            ("insert into control.change_log (run_seq, object, fact_key, facility_id, new_subject_key) values (?, ?, ?, ?, ?)",
             [self.run_seq + 1, resource, key, row["facility_id"], row.get("subject_key")]),
        ]

    def link(self, person: str, *keys: str) -> None:
        """Link records to a person, as the next run found it."""
        for key in keys:
            self.pending += [
                ("insert into control.change_log (run_seq, object, fact_key, old_subject_key, new_subject_key) "
                 "select ?, 'link', ?, max(person_id), ? from identity.link where patient_key = ?", [self.run_seq + 1, key, person, key]),
                ("delete from identity.link where patient_key = ?", [key]),
                ("insert into identity.link (patient_key, facility_id, person_id) values (?, 'riverside', ?)", [key, person]),
            ]

    def run(self, *models: str) -> None:
        """Write what was said and build models as the next run."""
        with self.store.open() as warehouse, warehouse.transaction():
            for statement, values in self.pending:
                warehouse.execute(statement, values)
        self.pending = []
        self.run_seq += 1
        self.dbt("run", "--select", "feature_rule", *models)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        with self.store.open(read_only=True) as warehouse:
            return [dict(row) for row in warehouse.query(sql).to_pylist()]

    def features(self, key: str) -> dict[str, Any]:
        """Features of one record."""
        return self.rows(f"select * from identity.patient_features where patient_key = '{key}'")[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Parse identity's models with empty stand-ins for what they read."""
    folder = tmp_path_factory.mktemp("identity") / "dbt"
    shutil.copytree(PROJECT / "macros", folder / "macros")
    shutil.copytree(PROJECT / "models" / "identity", folder / "models" / "identity")
    (folder / "models" / "canonical").mkdir()
    (folder / "seeds").mkdir()
    shutil.copy(PROJECT / "seeds" / "identity_placeholder.csv", folder / "seeds")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, folder)
    shutil.copy(PROJECT / "models" / "sources.yml", folder / "models")
    for name in ("patient", "patient_identifier"):
        (folder / "models" / "canonical" / f"{name}.sql").write_text("select 1 as stand_in")
    outcome = dbtRunner().invoke([*QUIET, "parse", "--project-dir", str(folder), "--profiles-dir", str(folder), "--target-path",
                                  str(folder / "target"), "--log-path", str(folder / "logs")])
    assert outcome.success, outcome.exception
    return folder, outcome.result


@pytest.fixture
def models(project: tuple[Path, Any], tmp_path: Path) -> Models:
    """Give a fresh warehouse for identity's models."""
    return Models(DuckDBStore(tmp_path / "root", Keys(bytes(range(32)))), *project)


def test_features_read_as_people_read(models: Models) -> None:
    """Case, diacritics, punctuation, suffixes, phone and address spellings vanish; names of other scripts stay."""
    models.say("patient", "a", name_family="Muñoz-O'Brien, Jr.", name_given="José Luis", gender="male", birth_date="1961-05-17",
               telecom_phone="+1 (503) 555-0142", telecom_email=" Jose@Mail.Example ", address_line="118 NE Main St. #4",
               address_postal_code="97201-1234", identifier_system="urn:riv", identifier_value="00012")
    models.say("patient", "b", name_family="Łukaszewska", name_given="Anne-Marie Zoë", gender="other", birth_date="1961-05",
               name_suffix="3rd", telecom_phone="555-0142", address_line="P.O. Box 77")
    models.say("patient", "c", name_family="Иванова", name_given="Ольга", birth_date="1961", name_suffix="MD")
    models.run("patient_features")
    a, b, c = (models.features(key) for key in "abc")
    assert (a["family"], a["given"], a["middle"], a["suffix"]) == ("MUNOZ OBRIEN", "JOSE", "LUIS", "JR")
    assert (a["phone"], a["email"], a["address_number"], a["postal_code"]) == ("5035550142", "jose@mail.example", "118", "97201")
    assert (a["address_street"], a["birth_date"], a["birth_precision"], a["gender"]) == ("NE MAIN ST", date(1961, 5, 17), "day", "male")
    assert (b["family"], b["given"], b["middle"], b["suffix"], b["gender"]) == ("LUKASZEWSKA", "ANNEMARIE", "ZOE", "III", None)
    assert (b["birth_date"], b["birth_text"], b["birth_precision"]) == (None, "1961-05", "month")
    assert (b["phone"], b["address_number"]) == (None, "PO BOX 77")
    assert (c["family"], c["given"], c["suffix"], c["birth_text"], c["birth_precision"]) == ("ИВАНОВА", "ОЛЬГА", None, "1961", "year")


def test_placeholders_are_null(models: Models) -> None:
    """What stands for nothing is nothing: names, dates, phones, numbers; a newborn has no given name yet."""
    for key, family, given in (("a", "Unknown", "Unknown"), ("b", "Doe", "Jane"), ("c", "Kowalchuk", "Baby Boy A"), ("d", "Doe", "Marta")):
        models.say("patient", key, name_family=family, name_given=given, birth_date="1900-01-01", telecom_phone="(999) 999-9999",
                   telecom_email="none@none.com", address_postal_code="00000", identifier_system="urn:riv", identifier_value="UNKNOWN")
        models.say("patient_identifier", f"{key}-ssn", subject_key=key, value="999-99-9999", type_code="SS")
    models.run("patient_features")
    for key in "abcd":
        row = models.features(key)
        empty = ("birth_date", "birth_text", "phone", "email", "postal_code", "ssn", "ssn_last4", "identifiers")
        assert not any(row[name] for name in empty)
    found = {row["patient_key"]: (row["family"], row["given"], row["is_unidentified"], row["is_newborn"])
             for row in models.rows("select * from identity.patient_features")}
    assert found == {"a": (None, None, True, False), "b": (None, None, True, False), "c": ("KOWALCHUK", None, False, True),
                     "d": ("DOE", "MARTA", False, False)}


def test_a_facilitys_own_phone_and_address_are_nobodys(models: Models) -> None:
    """What a facility registered as its own is no evidence on any facility's patient, however it is written; its neighbours' numbers are."""
    models.say("patient", "a", telecom_phone="503.555.0100", address_line="4400 N Clinic Way, Suite 3", address_postal_code="97299")
    models.say("patient", "b", telecom_phone="15035550100", address_line="PO BOX 12", address_postal_code="97299")
    models.say("patient", "c", telecom_phone="5035550101", address_line="4402 N Clinic Way", address_postal_code="97299")
    models.say("patient", "d", address_line="4400 Oak Ave", address_postal_code="97201")
    models.run("patient_features")
    found = {key: tuple(models.features(key)[name] for name in ("phone", "address_number", "address_street", "postal_code")) for key in "abcd"}
    assert found == {"a": (None,) * 4, "b": (None,) * 4, "c": ("5035550101", "4402", "N CLINIC WAY", "97299"),
                     "d": (None, "4400", "OAK AVE", "97201")}


def test_a_name_that_looks_like_a_placeholder_is_a_name(models: Models) -> None:
    """NA is a Chinese given name and a Korean family name; only where nothing else stands in either field does it stand for nothing."""
    for key, family, given in (("a", "Zhang", "Na"), ("b", "NA", "Minjun"), ("c", "NA", "NA")):
        models.say("patient", key, name_family=family, name_given=given)
    models.run("patient_features")
    found = {key: (models.features(key)["family"], models.features(key)["given"]) for key in "abc"}
    assert found == {"a": ("ZHANG", "NA"), "b": ("NA", "MINJUN"), "c": (None, None)}


def test_numbers_are_taken_for_what_their_type_says(models: Models) -> None:
    """A social security number must be possible and single, four digits may stand alone; a dependent's number is the family's."""
    numbers = {"full": ["123-45-6780"], "last": ["6780"], "two": ["123456780", "223456780"], "area": ["000-45-6780"],
               "serial": ["123-45-0000"]}
    for key, values in numbers.items():
        models.say("patient", key, name_family="X", name_given="Y")
        for place, value in enumerate(values):
            models.say("patient_identifier", f"{key}{place}", subject_key=key, value=value, type_code="SS")
    for key, member in (("m1", "XYZ 123-01"), ("m2", "xyz 123-02")):
        models.say("patient", key, name_family="X", name_given="Y", identifier_system="urn:riv", identifier_value=key)
        models.say("patient_identifier", f"{key}-member", subject_key=key, value=member, type_code="MB", system="urn:payer")
    models.say("patient", "same", name_family="X", name_given="Y")
    models.say("patient_identifier", "same-mr", subject_key="same", value="m1", type_code="MR", system="urn:riv")
    models.run("patient_features")
    social = {key: (models.features(key)["ssn"], models.features(key)["ssn_last4"]) for key in numbers}
    assert social == {"full": ("123456780", "6780"), "last": (None, "6780"), "two": (None, "6780"), "area": (None, None),
                      "serial": (None, None)}
    assert models.features("m1")["members"] == models.features("m2")["members"] is not None
    assert models.features("m1")["identifiers"] == models.features("same")["identifiers"] is not None
    assert models.features("m2")["identifiers"] != models.features("m1")["identifiers"]


def test_the_numbers_of_a_record_are_listed_in_order_however_many_they_are(models: Models) -> None:
    """One, two, three or four numbers of a record stand in its list sorted, each once, in whatever order they came; none is null."""
    for count in range(5):
        models.say("patient", f"p{count}")
        for place in reversed(range(count)):
            models.say("patient_identifier", f"p{count}|{place}", subject_key=f"p{count}", system="urn:a", value=f"N{place}", type_code="MR")
            models.say("patient_identifier", f"p{count}|M{place}", subject_key=f"p{count}", value=f"F{place}", type_code="MB")
    models.run("patient_features")
    for name in ("identifiers", "members"):
        lists = [models.features(f"p{count}")[name] for count in range(5)]
        assert lists[0] is None
        listed = [text.split(",") for text in lists[1:]]
        assert [len(one) for one in listed] == [1, 2, 3, 4]
        assert all(one == sorted(set(one)) for one in listed)
        assert all(set(less) < set(more) for less, more in itertools.pairwise(listed))


def test_only_changed_records_are_rebuilt(models: Models) -> None:
    """A run rebuilds the records that the change log names, by content or identifier, removes the deleted, and leaves all others."""
    for key in "abcd":
        models.say("patient", key, name_family="First", name_given="Y")
    models.run("patient_features")
    with models.store.open() as warehouse:
        warehouse.execute("update identity.patient_features set middle = 'untouched'")
        warehouse.execute("update canonical.patient set name_family = 'Unlogged' where fact_key = 'd'")
    models.say("patient", "a", name_family="Second", name_given="Y")
    models.say("patient", "b", name_family="Second", name_given="Y", is_deleted=True)
    models.say("patient_identifier", "c-ssn", subject_key="c", value="123-45-6780", type_code="SS")
    models.run("patient_features")
    rows = models.rows("select * from identity.patient_features")
    found = {row["patient_key"]: (row["family"], row["middle"], row["ssn"]) for row in rows}
    assert found == {"a": ("SECOND", None, None), "c": ("FIRST", None, "123456780"), "d": ("FIRST", "untouched", None)}


def test_the_golden_record_survives_by_rule(models: Models) -> None:
    """Most votes for birth date and sex, the newest for the rest, active before inactive, and never a placeholder over a value."""
    said = [
        ("a", "Kowalchuk", "Alexei", "1961-05-17", "male", "118 Main St", "97201", "5035550142", datetime(2025, 1, 1), True),
        ("b", "Kowalchuk", "Alex", "1961-05-17", "male", None, None, None, datetime(2025, 3, 1), True),
        ("c", "Unknown", "Unknown", "1916-05-17", "female", "9 Oak Ave", "97301", "(999) 999-9999", datetime(2025, 6, 1), True),
        ("d", "Kowal", "Al", "1961-05-17", "male", "1 Old Rd", "97001", "5035550199", datetime(2025, 9, 1), False),
    ]
    for key, family, given, birth, gender, line, postal, phone, time, active in said:
        models.say("patient", key, name_family=family, name_given=given, birth_date=birth, gender=gender, address_line=line,
                   address_postal_code=postal, telecom_phone=phone, source_time=time, active=active,
                   deceased_datetime="2025-05-01" if key == "a" else None)
    models.link("p", *"abcd")
    models.run("patient_features", "person")
    person = models.rows("select * from identity.person")
    assert len(person) == 1
    one = person[0]
    assert (one["name_family"], one["name_given"], one["name_patient_key"]) == ("Kowalchuk", "Alex", "b")
    assert (one["birth_date"], one["gender"], one["birth_date_patient_key"]) == ("1961-05-17", "male", "b")
    assert (one["address_line"], one["address_postal_code"], one["address_patient_key"]) == ("9 Oak Ave", "97301", "c")
    assert (one["telecom_phone"], one["telecom_phone_patient_key"]) == ("5035550142", "a")
    assert (one["deceased_datetime"], one["deceased_patient_key"], one["telecom_email_patient_key"]) == ("2025-05-01", "a", None)
    assert (one["record_count"], one["facility_count"]) == (4, 1)
    rules = {group: one[f"{group}_rule"] for group in ("name", "birth_date", "gender", "address", "telecom_phone", "deceased", "telecom_email")}
    assert rules == {"name": "newest", "birth_date": "most_votes", "gender": "most_votes", "address": "newest", "telecom_phone": "newest",
                     "deceased": "only", "telecom_email": None}
    times = [one[f"{group}_source_time"] for group in ("name", "birth_date", "address", "telecom_phone", "deceased", "telecom_email")]
    assert times == [datetime(2025, 3, 1), datetime(2025, 3, 1), datetime(2025, 6, 1), datetime(2025, 1, 1), datetime(2025, 1, 1), None]


def test_persons_are_rebuilt_where_records_come_go_or_change(models: Models) -> None:
    """A moved record changes both persons, a person without records leaves, and a person that nothing touched is not rebuilt."""
    for key, family in (("a", "One"), ("b", "Two"), ("c", "Three")):
        models.say("patient", key, name_family=family, name_given="Y", source_time=datetime(2025, 1, ord(key) - 96))
    models.link("p", "a")
    models.link("q", "b")
    models.link("r", "c")
    models.run("patient_features", "person")
    with models.store.open() as warehouse:
        warehouse.execute("update identity.person set name_given = 'untouched'")
    models.link("p", "b")
    models.run("patient_features", "person")
    rows = models.rows("select * from identity.person")
    found = {row["person_id"]: (row["name_family"], row["name_given"], row["record_count"]) for row in rows}
    assert found == {"p": ("Two", "Y", 2), "r": ("Three", "untouched", 1)}
    models.say("patient", "c", name_family="Four", name_given="Y")
    models.run("patient_features", "person")
    assert models.rows("select name_family from identity.person where person_id = 'r'") == [{"name_family": "Four"}]


# of each kind: what a record says, an identifier of its, and the rule that takes it for nothing
RULED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "family": ({"name_family": "Zorg-Opname Jr."}, {}, "ZORG OPNAME"), "given": ({"name_given": "Ze-këR Twee"}, {}, "ZEKER"),
    "name": ({"name_family": "Muster", "name_given": "Max"}, {}, "MUSTER MAX"), "newborn": ({"name_given": "Zuigeling"}, {}, "ZUIGELING"),
    "birth_date": ({"birth_date": "1912-12-12"}, {}, "1912-12-12"), "phone": ({"telecom_phone": "+1 (503) 555-0177"}, {}, "5035550177"),
    "email": ({"telecom_email": " Front@Desk.example "}, {}, "front@desk.example"),
    "ssn": ({}, {"value": "123-45-6780", "type_code": "SS"}, "123456780"), "ssn_last4": ({}, {"value": "6781", "type_code": "SS"}, "6781"),
    "identifier": ({}, {"value": " x-ray1", "type_code": "MR", "system": "urn:riv"}, "X-RAY1"),
}


def test_a_rule_that_comes_or_goes_reaches_whom_it_speaks_of_and_nobody_else(models: Models) -> None:
    """A placeholder of any kind, registered late, makes nothing of what older records say at the next run, and taken back gives it back."""
    for kind, (said, number, _) in RULED.items():
        models.say("patient", kind, **{"name_family": "Oak", "name_given": "Ann", "identifier_system": "urn:riv", "identifier_value": kind} | said)
        if number:
            models.say("patient_identifier", f"{kind}-number", subject_key=kind, **number)
    models.say("patient", "other", name_family="Oak", name_given="Bea", telecom_phone="5035550178")
    models.run("patient_features")
    before = _features(models)
    with models.store.open() as warehouse:
        for kind, (_, _, value) in RULED.items():
            warehouse.execute("insert into ref.identity_placeholder (kind, value) values (?, ?)", [kind, value])
    models.run("patient_features")
    told = models.rows("select fact_key from control.change_log where object = 'feature_rule' order by fact_key")
    assert [row["fact_key"] for row in told] == sorted(RULED)
    after = _features(models)
    assert {key for key, row in after.items() if row == before[key]} == {"other"}
    assert after == _anew(models)
    with models.store.open() as warehouse:
        for kind, (_, _, value) in RULED.items():
            warehouse.execute("delete from ref.identity_placeholder where kind = ? and value = ?", [kind, value])
    models.run("patient_features")
    assert _features(models) == before == _anew(models)


def test_a_contact_registered_later_reaches_records_persons_and_identity(models: Models) -> None:
    """A phone and an address that a facility registers later are nothing on older records at the next run; the golden record follows, the
    change log tells identity whom to compare anew, and a run after that does nothing."""
    contacts = registry_tables(load_registry(OWN_CONTACTS))["facility_contact"]
    with models.store.open() as warehouse:
        replace_reference(warehouse, {"facility_contact": contacts.slice(0, 0)})
    models.say("patient", "a", telecom_phone="503.555.0100", telecom_email="a@mail.example", source_time=datetime(2025, 2, 1))
    models.say("patient", "b", telecom_phone="5035550142", source_time=datetime(2025, 1, 1))
    models.say("patient", "c", address_line="PO BOX 12", address_postal_code="97299")
    models.link("p", "a", "b")
    models.link("q", "c")
    models.run("patient_features", "person")
    assert models.features("a")["phone"] == "5035550100"
    assert models.rows("select telecom_phone_patient_key from identity.person where person_id = 'p'") == [{"telecom_phone_patient_key": "a"}]
    with models.store.open() as warehouse:
        replace_reference(warehouse, {"facility_contact": contacts})
        warehouse.execute("update identity.patient_features set middle = 'untouched'")
    models.run("patient_features", "person")
    found = {key: tuple(models.features(key)[name] for name in ("phone", "address_number", "middle")) for key in "abc"}
    assert found == {"a": (None, None, None), "b": ("5035550142", None, "untouched"), "c": (None, None, None)}
    assert models.rows("select telecom_phone_patient_key from identity.person where person_id = 'p'") == [{"telecom_phone_patient_key": "b"}]
    told = "select fact_key, facility_id from control.change_log where object = 'feature_rule' order by fact_key"
    assert models.rows(told) == [{"fact_key": "a", "facility_id": "riverside"}, {"fact_key": "c", "facility_id": "riverside"}]
    with models.store.open() as warehouse:
        warehouse.execute("update identity.patient_features set middle = 'untouched'")
    models.run("patient_features", "person")
    assert {row["middle"] for row in models.rows("select middle from identity.patient_features")} == {"untouched"}
    assert len(models.rows(told)) == 2


def test_rules_tell_of_nobody_before_there_are_features(models: Models) -> None:
    """The first features of a warehouse follow all rules; nobody is told of them."""
    models.say("patient", "a", telecom_phone="503.555.0100")
    models.run("patient_features")
    assert models.features("a")["phone"] is None
    assert models.rows("select 1 from control.change_log where object = 'feature_rule'") == []


def _features(models: Models) -> dict[str, dict[str, Any]]:
    return {row["patient_key"]: row for row in models.rows("select * from identity.patient_features")}


def _anew(models: Models) -> dict[str, dict[str, Any]]:
    """Features as a warehouse that begins today would have them."""
    with models.store.open() as warehouse:
        warehouse.execute("delete from identity.patient_features")
        warehouse.execute("delete from control.consumer where consumer = 'patient_features'")
    models.run("patient_features")
    return _features(models)


def _two_people(models: Models) -> None:
    models.say("patient", "a", name_family="Kowalchuk", name_given="Alexei", gender="male", birth_date="1961-05-17", source_time=datetime(2026, 1, 1))
    models.say("patient", "b", name_family="Other", name_given="Paula", gender="female", source_time=datetime(2026, 1, 2))
    models.link("p1", "a")
    models.link("p2", "b")
    models.run("patient_features", "person")


@pytest.mark.parametrize(("table", "columns", "again"), [
    ("person", ["name_rule", "name_source_time", "birth_date"], {"person"}),
    ("patient_features", ["members", "family"], {"patient_features", "identity", "person"})])
def test_columns_that_an_earlier_version_had_not_come_with_their_values(models: Models, table: str, columns: list[str], again: set[str]) -> None:
    """A run in which nobody changed gives a table its new columns, all rows their values, and wakes who reads them by the same changes."""
    _two_people(models)
    before = models.rows(f"select * from identity.{table} order by all")
    with models.store.open() as warehouse:
        for column in columns:
            warehouse.execute(f"alter table LAKE.identity.{table} drop column {column}")
        warehouse.execute("insert into LAKE.control.consumer (consumer, run_seq) values ('identity', 1)")
    models.run(table)
    assert sorted(map(_by_name, models.rows(f"select * from identity.{table}"))) == sorted(map(_by_name, before))
    seen = {row["consumer"]: row["run_seq"] for row in models.rows("select consumer, max(run_seq) as run_seq from control.consumer group by consumer")}
    assert {name for name in ("patient_features", "identity", "person") if seen.get(name) != 1} == again


def _by_name(row: dict[str, Any]) -> str:
    return str(sorted(row.items(), key=lambda item: item[0]))


@pytest.mark.parametrize(("altered", "told"), [
    ("add column shoe_size integer", "shoe_size (no longer there)"),
    ("alter column record_count type double", "record_count (double, now bigint)")])
def test_a_column_that_vanished_or_changed_is_refused(models: Models, altered: str, told: str) -> None:
    """A table with a column that its model has no more, or of another type, stays as it is, and the error says what helps."""
    _two_people(models)
    with models.store.open() as warehouse:
        warehouse.execute(f"alter table LAKE.identity.person {altered}")
        warehouse.execute("alter table LAKE.identity.person drop column name_rule")
    before = models.rows("select * from identity.person order by all")
    models.say("patient", "b", name_family="Changed", source_time=datetime(2026, 1, 3))
    with pytest.raises(AssertionError) as refused:
        models.run("person")
    fault = shape_fault(str(refused.value))
    assert fault is not None
    assert f"identity.person was made by an earlier version: {told}." in str(fault)
    assert "lakehouse materialize --anew identity.person" in str(fault)
    assert models.rows("select * from identity.person order by all") == before
