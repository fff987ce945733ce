"""Release files of terminologies as maps. The rows are written for these tests in the published layouts; their codes are invented."""

from __future__ import annotations

from datetime import date

import pytest

from transforms.errors import ConfigurationError
from transforms.terminology.concept_map import MapVersion, read_concept_map
from transforms.terminology.ndc import eleven_digits

LOINC, NDC, RXNORM = "http://loinc.org", "http://hl7.org/fhir/sid/ndc", "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED, ICD10CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
CPT, CVX = "http://www.ama-assn.org/go/cpt", "http://hl7.org/fhir/sid/cvx"

MAP_TO = '"LOINC","MAP_TO","COMMENT"\r\n"1000-1","2000-2",""\r\n"1000-9","2000-3","one, or"\r\n"1000-9","2000-4","the other"\r\n'
RXNSAT = (
    "7001||||CUI|7001|AT1||NDC|RXNORM|00001000101|N||\n7002||||CUI|7002|AT2||NDC|RXNORM|00001000202|O||\n"
    "7003||||CUI|7003|AT3||NDC|OTHER|00001000303|N||\n7004||||CUI|7004|AT4||RXN_STRENGTH|RXNORM|5 MG|N||\n"
    "7005||||CUI|7005|AT5||NDC|RXNORM|00001000404|N||\n7006||||CUI|7006|AT6||NDC|RXNORM|00001000404|N||\n"
    "7001||||AUI|7001|AT7||NDC|RXNORM|00001000101|N||\n")
PACKAGES = (
    "PRODUCTID\tPRODUCTNDC\tNDCPACKAGECODE\tPACKAGEDESCRIPTION\n"
    "1_a\t0001-0001\t0001-0001-01\tBOTTLE\n2_b\t10001-001\t10001-001-01\tBOTTLE\n3_c\t10001-0001\t10001-0001-1\tBOTTLE\n")
_MEMBER = "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\t"
EXTENDED = _MEMBER + "mapGroup\tmapPriority\tmapRule\tmapAdvice\tmapTarget\tcorrelationId\tmapCategoryId\r\n" + "".join(
    f"u{number}\t20260301\t{active}\t1\t6011000124106\t{concept}\t{group}\t1\t{rule}\tADVICE\t{target}\t447561005\t447637006\r\n"
    for number, (active, concept, group, rule, target) in enumerate([
        (1, "900001", 1, "TRUE", "X00.1"), (0, "900001", 1, "TRUE", "X00.9"), (1, "900002", 1, "IFA 900009 | a |", "X01"),
        (1, "900002", 1, "OTHERWISE TRUE", "X02"), (1, "900003", 1, "TRUE", "X03"), (1, "900003", 2, "TRUE", "X04"), (1, "900004", 1, "TRUE", ""),
    ]))
SIMPLE = _MEMBER + "mapTarget\nu1\t20260301\t1\t1\t446608001\t900005\t9999/3\n"
PROCEDURES = "99901|toxoid, invented|inv|901       |a comment|01/02/2026|1\n9990T |other|oth|902||01/02/2026|2\n99901|again|inv|901||01/02/2026|3\n"


@pytest.mark.parametrize(("text", "systems", "said"), [
    (MAP_TO, (LOINC, LOINC), [("1000-1", "2000-2", "equivalent"), ("1000-9", "2000-3", "inexact"), ("1000-9", "2000-4", "inexact")]),
    (RXNSAT, (NDC, RXNORM), [("00001000101", "7001", "wider"), ("00001000404", "7005", "inexact"), ("00001000404", "7006", "inexact")]),
    (PACKAGES, (NDC, NDC), [("0001-0001-01", "00001000101", "equal"), ("10001-001-01", "10001000101", "equal"), ("10001-0001-1", "10001000101", "equal")]),
    (EXTENDED, (SNOMED, ICD10CM), [("900001", "X00.1", "wider"), ("900002", "X01", "inexact"), ("900002", "X02", "inexact"), ("900003", "X03", "inexact"),
                                   ("900003", "X04", "inexact"), ("900004", None, "unmatched")]),
    (SIMPLE, (SNOMED, "http://terminology.hl7.org/CodeSystem/icd-o-3"), [("900005", "9999/3", "equivalent")]),
    (PROCEDURES, (CPT, CVX), [("99901", "901", "wider"), ("9990T", "902", "wider")]),
], ids=["loinc", "rxnorm", "ndc", "snomed_extended", "snomed_simple", "cvx"])
def test_a_release_file_is_a_map(text: str, systems: tuple[str, str], said: list[tuple[str, str | None, str]]) -> None:
    """Each published layout gives its codes; suppressed, inactive and repeated rows say nothing, and of several targets none stands."""
    rows = read_concept_map(text, "release", MapVersion("m", "1", date(2026, 1, 1))).to_pylist()
    assert [(row["source_code"], row["target_code"], row["equivalence"]) for row in rows] == said
    assert {(row["source_system"], row["target_system"]) for row in rows if row["target_code"]} == {systems}


@pytest.mark.parametrize(("text", "line"), [
    (MAP_TO + '"1-1"\n', 5), (RXNSAT + "1|NDC|RXNORM|\n", 8), (PACKAGES + "4_d\t1\t0001-0001\tX\n", 5), (SIMPLE + "u2\t20260301\t1\n", 3),
    (SIMPLE + "u2\t20260301\t1\t1\t1\t900005\tX\n", 3), (PROCEDURES + "nonsense\n", 4)])
def test_a_line_of_another_form_is_named(text: str, line: int) -> None:
    """A cut line, a code of another form and a reference set whose targets are unknown are refused with their number."""
    with pytest.raises(ConfigurationError, match=f"release:{line}: no line of .* Remedy"):
        read_concept_map(text, "release", MapVersion("m", "1", date(2026, 1, 1)))


@pytest.mark.parametrize(("code", "digits"), [
    ("1234-5678-90", "01234567890"), ("12345-678-90", "12345067890"), ("12345-6789-0", "12345678900"), ("12345-6789-01", "12345678901"),
    ("1234567890", None), ("1234-567-890", None), ("123a-5678-90", None)])
def test_the_eleventh_digit_goes_where_the_hyphens_say(code: str, digits: str | None) -> None:
    """4-4-2, 5-3-2 and 5-4-1 become 5-4-2; without hyphens, or in another form, nothing is guessed."""
    assert eleven_digits(code) == digits
