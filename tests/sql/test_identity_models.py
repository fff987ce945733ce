"""Identity's dbt models: features normalised as people read them, golden records that survive by rule, only what changed rebuilt."""

from __future__ import annotations

import itertools
from datetime import date, datetime

from tests.sql.identity_models import Models


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
    assert (a["address_unit"], b["address_unit"]) == ("4", None)
    assert (a["address_street"], a["birth_date"], a["birth_precision"], a["gender"]) == ("NE MAIN ST", date(1961, 5, 17), "day", "male")
    assert (b["family"], b["given"], b["middle"], b["suffix"], b["gender"]) == ("LUKASZEWSKA", "ANNEMARIE", "ZOE", "III", None)
    assert (b["birth_date"], b["birth_text"], b["birth_precision"]) == (None, "1961-05", "month")
    assert (b["phone"], b["address_number"]) == (None, "PO BOX 77")
    assert (c["family"], c["given"], c["suffix"], c["birth_text"], c["birth_precision"]) == ("ИВАНОВА", "ОЛЬГА", None, "1961", "year")


def test_text_in_ascii_reads_as_text_with_a_letter_beyond_it(models: Models) -> None:
    """The short way of plain text leaves nothing that the long one takes out, and takes nothing more."""
    marks = "".join(chr(code) for code in range(33, 127) if not chr(code).isalnum())
    for place, mark in enumerate(marks):
        models.say("patient", f"short {place}", name_family=f" Etta{mark} Bo{mark}ss", name_given="Y")
        models.say("patient", f"long {place}", name_family=f" Étta{mark} Bo{mark}ss", name_given="Y")
    models.run("patient_features")
    short, long = ({mark: models.features(f"{way} {place}")["family"] for place, mark in enumerate(marks)} for way in ("short", "long"))
    assert short == long
    assert (short["'"], short["-"], short["@"]) == ("ETTA BOSS", "ETTA BO SS", "ETTA@ BO@SS")


def test_a_home_is_one_however_its_number_is_written(models: Models) -> None:
    """APT, UNIT, # and the like say which home of a house it is; the house has no home where none is said."""
    written = {"12": "9 Oak Ave Apt 12", "4B": "9 Oak Ave, Unit 4-B", "7": "9 Oak Ave #7", "31": "9 Oak Ave Apt. #31", "A3": "9 Oak Ave Suite A Rm 3"}
    for unit, line in (written | {"house": "9 Oak Ave", "said without a number": "9 Oak Ave Apt"}).items():
        models.say("patient", unit, name_family="X", name_given="Y", address_line=line, address_postal_code="97201")
    models.run("patient_features")
    assert {unit: models.features(unit)["address_unit"] for unit in written} == {unit: unit for unit in written}
    assert [models.features(unit)["address_unit"] for unit in ("house", "said without a number")] == [None, None]
    assert {row["address_street"] for row in models.rows("select address_street from identity.patient_features")} == {"OAK AVE"}


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
