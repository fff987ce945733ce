"""Rules that take a value for nothing, placeholders and a facility's own contacts: one that comes or goes reaches whom it speaks of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from assets.stores.control import replace_reference
from tests.sql.identity_models import OWN_CONTACTS, Models
from transforms.facilities.registry import load_registry
from transforms.facilities.registry_tables import registry_tables

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
