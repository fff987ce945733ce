"""X12 written for tests: interchanges with trailers that fit, unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

PARTNERS = """
trading_partners:
  PAYER: {claim_versions: [005010X222A1, 005010X223A2], remittance_versions: [005010X221A1], eligibility_versions: [005010X279A1]}
"""
VERSIONS = {"837": "005010X222A1", "835": "005010X221A1", "270": "005010X279A1", "271": "005010X279A1"}
HEADER = ("HL*1**20*1", "NM1*85*2*CLINIC*****XX*1234567893", "HL*2*1*22*0", "SBR*P*18*******CI", "NM1*IL*1*ALDER*ROWAN****MI*MB1",
          "NM1*PR*2*PAYER*****PI*PAY01")


def isa(control: str = "000000001", usage: str = "P", sender: str = "CLINIC", receiver: str = "PAYER") -> str:
    """An ISA of 106 characters with its terminator, standard delimiters."""
    return f"ISA*00*{'':10}*00*{'':10}*ZZ*{sender:15}*ZZ*{receiver:15}*240501*1200*^*00501*{control}*0*{usage}*:"


def transaction(kind: str, segments: Sequence[str], number: str = "0001", at: str = "20240501*1200") -> list[str]:
    """ST to SE, with a BHT where the kind has one, and a count that fits."""
    beginning = [] if kind == "835" else [f"BHT*0019*00*B1*{at}*CH"]
    inside = [f"ST*{kind}*{number}*{VERSIONS[kind]}", *beginning, *segments]
    return [*inside, f"SE*{len(inside) + 1}*{number}"]


def group(sets: Sequence[Sequence[str]], version: str, number: str = "1") -> list[str]:
    """GS to GE."""
    inside = [segment for one in sets for segment in one]
    return [f"GS*HC*CLINIC*PAYER*20240501*1200*{number}*X*{version}", *inside, f"GE*{len(sets)}*{number}"]


def interchange(groups: Sequence[Sequence[str]], **head: str) -> list[str]:
    """ISA to IEA."""
    first = isa(**head)
    return [first, *(segment for one in groups for segment in one), f"IEA*{len(groups)}*{first[90:99]}"]


def text(segments: Sequence[str], terminator: str = "~") -> bytes:
    """Segments as bytes."""
    return "".join(segment + terminator for segment in segments).encode()


def simple(kind: str, segments: Sequence[str], **head: str) -> bytes:
    """One transaction set in one interchange."""
    return text(interchange([group([transaction(kind, segments)], VERSIONS[kind])], **head))


def claim(number: str, charge: str = "100", line: str | None = None, place: str = "11:B:1", *more: str) -> list[str]:
    """A claim of one line."""
    return [f"CLM*{number}*{charge}***{place}*Y*A*Y*Y", *more, "HI*ABK:E119", "LX*1", f"SV1*HC:99213*{line or charge}*UN*1***1",
            "DTP*472*D8*20240415"]
