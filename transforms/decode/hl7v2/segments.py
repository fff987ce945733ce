"""Which fields of which HL7 v2 segments get columns of their own, and how the columns are named.

Belongs here: the segment tables' layout as data (HL7 v2.5.1 chapters 2 to 6, names as in v2.8). Does not belong here:
splitting (`columns.py`), meaning (dbt). What has no column here is still in `raw_hl7v2__segment`, as sent.

Columns of field n of segment SEG, of its first repetition:

* `seg_n_k`    component k, unescaped, null where empty; `""` (delete) stays `""`. A component that is divided into
               subcomponents shows them here joined as sent, not unescaped;
* `seg_n_k_j`  subcomponent j of a divided component, unescaped; null where the component is not divided, so the first
               subcomponent is `coalesce(seg_n_k_1, seg_n_k)`;
* `seg_n`      only for fields of more than one component or repetition: the whole field as sent (all repetitions),
               null where the field is empty. It tells absent from valued and from `""`. MSH-1 and MSH-2, which are
               the delimiters themselves, are `msh_1` and `msh_2`; OBX-5, which can be large, has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Field:
    """Columns wanted of one field: number of components, component -> number of subcomponents, may it repeat."""

    components: int = 1
    subcomponents: dict[int, int] = field(default_factory=dict)
    repeats: bool = False
    whole: bool = True


ST = Field()
HD = Field(3)
EI = Field(4)
EIP = Field(2, {1: 2, 2: 2})
IS = Field(3)
CE = Field(6)
CODES = Field(6, repeats=True)
CWE = Field(12)
CX = Field(10, {4: 3, 6: 1}, repeats=True)
CX_ONE = Field(5, {4: 3})
XPN = Field(8, {1: 5}, repeats=True)
NAME = Field(3, {1: 1}, repeats=True)
XAD = Field(10, {1: 3}, repeats=True)
ADDRESS = Field(6, {1: 1}, repeats=True)
XTN = Field(12, repeats=True)
PHONE = Field(1, repeats=True)
XCN = Field(10, {2: 1, 9: 3}, repeats=True)
XON = Field(3)
PL = Field(9, {1: 1, 2: 1, 3: 1, 4: 1})
TQ = Field(7, {1: 2, 2: 2})
NDL = Field(3, {1: 3})
VALUE = Field(12, repeats=True, whole=False)

SEGMENTS: dict[str, dict[int, Field]] = {
    # MSH-1 and MSH-2 are the delimiters; `columns.py` treats them apart.
    "MSH": {3: HD, 4: HD, 5: HD, 6: HD, 7: ST, 8: ST, 9: Field(3), 10: ST, 11: Field(2), 12: Field(3), 13: ST, 14: ST,
            15: ST, 16: ST, 17: ST, 18: Field(repeats=True), 19: CE, 20: ST, 21: Field(4, repeats=True)},
    "EVN": {1: ST, 2: ST, 3: ST, 4: ST, 5: XCN, 6: ST, 7: HD},
    "PID": {1: ST, 2: CX_ONE, 3: CX, 4: CX_ONE, 5: XPN, 6: NAME, 7: ST, 8: IS, 9: NAME, 10: CODES, 11: XAD, 12: ST,
            13: XTN, 14: XTN, 15: CE, 16: CE, 17: CE, 18: CX_ONE, 19: ST, 20: Field(3), 21: CX_ONE, 22: CODES,
            23: ST, 24: ST, 25: ST, 26: CODES, 27: CE, 28: CE, 29: ST, 30: ST, 31: ST, 32: Field(repeats=True), 33: ST,
            34: HD, 35: CE},
    "PV1": {1: ST, 2: IS, 3: PL, 4: IS, 5: CX_ONE, 6: PL, 7: XCN, 8: XCN, 9: XCN, 10: IS, 14: IS, 16: IS, 17: XCN,
            18: IS, 19: CX_ONE, 20: Field(2, repeats=True), 36: IS, 37: Field(2), 39: IS, 41: IS, 44: ST, 45: ST,
            50: CX_ONE, 51: ST},
    "MRG": {1: CX, 2: CX_ONE, 3: CX_ONE, 4: CX_ONE, 5: CX_ONE, 6: CX_ONE, 7: NAME},
    "AL1": {1: ST, 2: CE, 3: CWE, 4: CE, 5: Field(repeats=True), 6: ST},
    "DG1": {1: ST, 2: IS, 3: CWE, 4: ST, 5: ST, 6: IS, 15: ST, 16: XCN, 17: IS, 18: ST, 19: ST, 20: EI, 21: ST},
    "PR1": {1: ST, 2: IS, 3: CWE, 4: ST, 5: ST, 6: IS, 7: ST, 8: XCN, 11: XCN, 12: XCN, 14: IS, 15: CE, 16: CODES,
            19: EI, 20: ST},
    "IN1": {1: ST, 2: CE, 3: CX_ONE, 4: XON, 5: ADDRESS, 7: PHONE, 8: ST, 9: XON, 10: CX_ONE, 11: XON, 12: ST, 13: ST,
            15: IS, 16: NAME, 17: CE, 18: ST, 19: ADDRESS, 22: ST, 35: IS, 36: ST, 43: ST, 46: ST, 47: IS, 49: CX_ONE},
    "ORC": {1: ST, 2: EI, 3: EI, 4: EI, 5: ST, 6: ST, 7: TQ, 8: EIP, 9: ST, 10: XCN, 11: XCN, 12: XCN, 13: PL,
            14: PHONE, 15: ST, 16: CE, 17: CE, 21: XON, 25: CE, 29: CE},
    "OBR": {1: ST, 2: EI, 3: EI, 4: CWE, 5: ST, 6: ST, 7: ST, 8: ST, 10: XCN, 11: ST, 12: CE, 13: ST, 14: ST, 15: CE,
            16: XCN, 17: PHONE, 18: ST, 19: ST, 20: ST, 21: ST, 22: ST, 24: ST, 25: ST, 26: Field(3, {1: 2}), 27: TQ,
            28: XCN, 29: EIP, 30: ST, 31: CODES, 32: NDL, 36: ST, 44: CE, 45: CODES},
    "OBX": {1: ST, 2: ST, 3: CWE, 4: Field(4), 5: VALUE, 6: CE, 7: ST, 8: Field(repeats=True), 9: ST,
            10: Field(repeats=True), 11: ST, 12: ST, 13: ST, 14: ST, 15: CE, 16: XCN, 17: CODES, 18: EI, 19: ST,
            23: XON},
    "RXO": {1: CWE, 2: ST, 3: ST, 4: CE, 5: CE, 6: CODES, 7: CODES, 9: ST, 10: CE, 11: ST, 12: CE, 13: ST, 14: XCN,
            18: ST, 19: CE},
    "RXE": {1: TQ, 2: CWE, 3: ST, 4: ST, 5: CE, 6: CE, 7: CODES, 9: ST, 10: ST, 11: CE, 12: ST, 13: XCN, 14: XCN,
            15: ST, 16: ST, 18: ST, 21: CODES, 22: ST, 23: ST, 24: CE, 25: ST, 26: CE, 27: CODES},
    "NTE": {1: ST, 2: ST, 3: Field(repeats=True), 4: CE},
}

# Fields whose every repetition becomes a row of raw_hl7v2__repetition.
REPETITIONS: dict[str, tuple[int, ...]] = {
    "PID": (3, 5, 10, 11, 13, 14, 22), "MRG": (1,), "OBX": (5,), "NTE": (3,),
}
REPETITION_COMPONENTS = 12
REPETITION_SUBCOMPONENTS = {1: 3, 4: 3}  # c1_1.., c4_1..: surname parts (FN), street parts (SAD), authority parts (HD)

# Segments that belong to an order: their rows carry `order_group`.
ORDER_SEGMENTS = frozenset({"ORC", "OBR", "OBX", "NTE", "DG1", "PR1", "RXO", "RXE"})


def segment_table(segment: str) -> str:
    """Raw table of a segment: `raw_hl7v2__pid` for PID."""
    return f"raw_hl7v2__{segment.lower()}"


def field_columns(segment: str, number: int) -> list[str]:
    """Columns of one field in table order: the whole field, then each component followed by its subcomponents."""
    spec, base = SEGMENTS[segment][number], f"{segment.lower()}_{number}"
    columns = [base] if spec.whole and (spec.components > 1 or spec.repeats) else []
    for component in range(1, spec.components + 1):
        columns.append(f"{base}_{component}")
        columns += [f"{base}_{component}_{j}" for j in range(1, spec.subcomponents.get(component, 0) + 1)]
    return columns


def value_columns(segment: str) -> list[str]:
    """All value columns of a segment's table."""
    first = ["msh_1", "msh_2"] if segment == "MSH" else []
    return first + [column for number in SEGMENTS[segment] for column in field_columns(segment, number)]


def repetition_columns() -> list[str]:
    """Value columns of raw_hl7v2__repetition: c1, c1_1 … c12."""
    columns: list[str] = []
    for component in range(1, REPETITION_COMPONENTS + 1):
        columns.append(f"c{component}")
        columns += [f"c{component}_{j}" for j in range(1, REPETITION_SUBCOMPONENTS.get(component, 0) + 1)]
    return columns
