"""The page of one column, and the table of column edges."""

from __future__ import annotations

import json

from lineage.links import ColumnLink, Way, downstream_way, upstream_way
from orchestration.catalog.cells import count
from orchestration.catalog.column_graph import draw
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, rows_table
from orchestration.catalog.view import Code, Column, Crumb, Empty, Fact, Facts, Page, Picture, Section, Table

_LINK_COLUMNS = (
    Column("src_asset", "From asset", "code", href="/asset/{src_asset}"),
    Column("src_col", "From column", "code", href="/asset/{src_asset}/column/{src_col}"),
    Column("path", "Place in it", "code"),
    Column("asset", "To asset", "code", href="/asset/{asset}"),
    Column("column", "To column", "code", href="/asset/{asset}/column/{column}"),
    Column("kind", "How"),
    Column("expression", "Expression", "sql"),
)
_FIELDS_SHOWN = 12
_DECIDING_DRAWN = 30


def column_page(reading: Reading, asked: Asked, asset: str, column: str) -> Page | None:
    """Where one column comes from and where it goes; None where there is none of that name."""
    model = reading.db.execute("select * from model where asset = ? and current = 1", (asset,)).fetchone()
    up, down = upstream_way(reading.db, asset, column), downstream_way(reading.db, asset, column)
    described = {item["name"]: item for item in json.loads(model["columns"])} if model else {}
    if column not in described and not (up.values or down.values or up.deciding or down.deciding):
        return None
    expression = next((link.expression for distance, link in up.values if distance == 1), "")
    sections: list[Section] = [
        Facts("What it is", [
            Fact("Protection", described.get(column, {}).get("phi", 0), "phi"),
            Fact("Meaning", described.get(column, {}).get("description")), Fact("Payload fields behind it", _payload_fields(up))]),
        *_way_picture(asset, column, up, down),
        *([Code("Expression", expression)] if expression else []),
        link_table(asked, "upstream", "Where its value comes from", up.values),
        link_table(asked, "deciding", "What decides which value is taken", up.deciding),
        link_table(asked, "downstream", "Where its value goes", down.values),
        link_table(asked, "decided", "What it decides", down.deciding),
    ]
    layer = model["layer"] if model else asset.split(".", 1)[0]
    crumbs = [Crumb("Assets", "/assets"), Crumb(layer, f"/assets?layer={layer}", layer), Crumb(asset, f"/asset/{asset}"), Crumb(column)]
    return Page(f"Where does {column} come from?", _column_answer(column, up, down), "passed", crumbs, sections)


def _payload_fields(up: Way) -> str:
    """Fields of payloads as their standards call them; a place in a FHIR resource instead of the whole resource."""
    names = set()
    for _, link in up.values:
        if link.src_asset == "landing.payload" and link.src_col not in ("resource", "row", "bytes"):
            names.add(link.src_col)
        elif link.src_asset.startswith("raw.") and link.path:
            names.add(link.path.lstrip("/"))
    ordered = sorted(names)
    more = f" and {len(ordered) - _FIELDS_SHOWN} more" if len(ordered) > _FIELDS_SHOWN else ""
    return ", ".join(ordered[:_FIELDS_SHOWN]) + more


def _way_picture(asset: str, column: str, up: Way, down: Way) -> list[Section]:
    values = [link for _, link in up.values] + [link for distance, link in down.values if distance == 1]
    if not values:
        return []
    near = list(dict.fromkeys([asset, *up.assets, *(link.asset for link in values)]))
    deciding = [link for _, link in up.deciding if link.src_asset in near and link.asset in near]
    drawn = deciding if len(deciding) <= _DECIDING_DRAWN else []
    svg, hidden = draw([*values, *drawn], near, frozenset({(asset, column)}), f"Lineage of {asset}.{column}")
    notes = [f"{hidden} more assets are in the tables below." if hidden else "",
             "" if len(drawn) == len(deciding) else f"{count(len(deciding))} edges of influence are in the tables below."]
    return [Picture("From the payload, and one step on", svg, " ".join(note for note in notes if note))]


def _column_answer(column: str, up: Way, down: Way) -> str:
    direct = {(link.src_asset, link.src_col) for distance, link in up.values if distance == 1}
    if not up.values:
        came = f"{column} is a constant, or stands at the beginning of the life of the data"
    elif len(direct) == 1:
        source, name = next(iter(direct))
        came = f"{column} is made from {'the rows' if name == '*' else name} of {source}"
    else:
        came = f"{column} is made from {len(direct)} columns"
    reached = {link.asset for _, link in (*down.values, *down.deciding)}
    return f"{came}; {count(len(reached))} {'asset depends' if len(reached) == 1 else 'assets depend'} on it."


def link_table(asked: Asked, name: str, caption: str, links: list[tuple[int, ColumnLink]]) -> Table:
    """Column edges with their distance in steps."""
    rows = [
        {**link._asdict(), "distance": distance,
         "kind": f"{'value' if link.type == 'DIRECT' else 'influence'}: {link.subtype.lower()}" + (", hashed" if link.masking else "")}
        for distance, link in links
    ]
    return rows_table(asked, name, caption, (Column("distance", "Steps", "count"), *_LINK_COLUMNS), rows,
                      Empty("No edge is known here."))
