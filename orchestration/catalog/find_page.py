"""One box that finds everything: assets, columns, facilities, runs, reasons."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.catalog.cells import count
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, query_table, rows_table
from orchestration.catalog.view import Column, Crumb, Empty, Page, Section

_NOTHING = Empty("Nothing of this kind has the words in its name.")


def find_page(reading: Reading, asked: Asked, words: Mapping[str, str], wanted: str) -> Page:
    """What has the wanted words in its name, kind by kind."""
    like = "%" + wanted.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    sections: list[Section] = [
        query_table(reading.db, asked, "assets", "Assets", (
            Column("layer", "Layer", "layer"), Column("asset", "Asset", "code", href="/asset/{asset}"),
            Column("description", "What a row is")),
            "select layer, asset, description from model where current = 1 "
            "and (asset like ? escape '\\' or description like ? escape '\\')",
            (like, like), "asset", _NOTHING),
        query_table(reading.db, asked, "columns", "Columns", (
            Column("name", "Column", "code", href="/asset/{asset}/column/{name}"), Column("asset", "Asset", "code", href="/asset/{asset}"),
            Column("phi", "Protection", "phi")),
            "select m.asset, json_extract(c.value, '$.name') as name, json_extract(c.value, '$.phi') as phi "
            "from model m, json_each(m.columns) c where m.current = 1 and json_extract(c.value, '$.name') like ? escape '\\'",
            (like,), "name, asset", _NOTHING),
        query_table(reading.db, asked, "facilities", "Facilities", (
            Column("name", "Facility", href="/facility/{facility_id}"), Column("source_system", "System"),
            Column("owner", "Owner", "name")),
            "select * from facility where name like ? escape '\\' or facility_id like ? escape '\\'", (like, like), "name", _NOTHING),
        query_table(reading.db, asked, "runs", "Runs", (
            Column("run_id", "Run", "id", href="/run/{run_id}"), Column("kind", "Job"), Column("state", "State", "status"),
            Column("started", "Started", "instant")),
            "select * from run where run_id like ? escape '\\'", (like,), "run_seq desc", _NOTHING),
        rows_table(asked, "reasons", "Reasons", (Column("code", "Code", "code"), Column("meaning", "Meaning")),
                   [{"code": code, "meaning": meaning} for code, meaning in words.items()
                    if wanted.strip().lower() in code.lower() + " " + meaning.lower()], _NOTHING),
    ]
    found = sum(section.total for section in sections if hasattr(section, "total"))
    return Page(f"What is called “{wanted.strip()}”?" if wanted.strip() else "What are you looking for?",
                f"{count(found)} things have these words in their name.", "passed" if found else "pending", [Crumb("Find")],
                [section for section in sections if getattr(section, "total", 0)])
