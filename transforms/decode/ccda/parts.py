"""A CDA document cut into its units: entries, sections without entries, nonXMLBody (CDA R2 s4.3).

Belongs here: where units stand, and what their section says of itself. Does not belong here: what is in an entry (`statement.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from transforms.decode.ccda.document import CDA, local_name

ROOT_PATH = "/ClinicalDocument"
_ENTRY, _COMPONENT, _SECTION = f"{CDA}entry", f"{CDA}component", f"{CDA}section"
_CODE, _TITLE, _TEMPLATE = f"{CDA}code", f"{CDA}title", f"{CDA}templateId"


@dataclass(frozen=True)
class Section:
    """What a section says of itself: columns of raw_ccda__entry, and its units' kind of record; null where it has no code."""

    columns: dict[str, str | None]
    record_type: str | None


@dataclass(frozen=True)
class Part:
    """One unit: its element and that element's name, its path, and the section that it stands in."""

    element: Any
    kind: str
    locator: str
    section: Section | None = None

    @property
    def record_type(self) -> str:
        """Code of the section, else the element's name."""
        return (self.section.record_type if self.section else None) or self.kind


def parts_of(root: Any) -> Iterator[Part]:
    """Units of a document in its order."""
    for component in root.iterfind(_COMPONENT):
        for body in component:
            if local_name(body) == "nonXMLBody":
                yield Part(body, "nonXMLBody", f"{ROOT_PATH}/component/nonXMLBody")
            elif local_name(body) == "structuredBody":
                yield from _of_sections(body, f"{ROOT_PATH}/component/structuredBody")


def _of_sections(body: Any, path: str) -> Iterator[Part]:
    waiting = _numbered([one for one in body if one.tag == _COMPONENT], path)
    while waiting:
        component, at = waiting.pop()
        for section in component:
            if section.tag != _SECTION:
                continue
            inside: dict[Any, list[Any]] = {_ENTRY: [], _COMPONENT: [], _CODE: [], _TITLE: [], _TEMPLATE: []}
            for child in section:
                if (listed := inside.get(child.tag)) is not None:
                    listed.append(child)
            said = _section(inside[_CODE], inside[_TITLE], inside[_TEMPLATE])
            for place, entry in enumerate(inside[_ENTRY], 1):
                yield Part(entry, "entry", f"{at}/section/entry[{place}]", said)
            if not inside[_ENTRY]:
                yield Part(section, "section", f"{at}/section", said)
            waiting += _numbered(inside[_COMPONENT], f"{at}/section")


def _numbered(components: list[Any], path: str) -> list[tuple[Any, str]]:
    """Components with their paths, the first one last."""
    return [(one, f"{path}/component[{place}]") for place, one in enumerate(components, 1)][::-1]


def _section(codes: list[Any], titles: list[Any], templates: list[Any]) -> Section:
    code = codes[0].get("code") if codes else None
    columns = {
        "section_code": code, "section_title": titles[0].text if titles else None,
        "section_template_ids": f"|{'|'.join(one.get('root') or '' for one in templates)}|" if templates else None,
    }
    return Section(columns, code or "section" if codes else None)
