"""Pages of the assets: the list, and one asset."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

from lineage.links import ColumnLink, neighbours
from orchestration.catalog.accounts import verdict_table
from orchestration.catalog.cells import count
from orchestration.catalog.column_graph import draw
from orchestration.catalog.column_pages import link_table
from orchestration.catalog.heat import strip
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, query_table, rows_table
from orchestration.catalog.view import Code, Column, Crumb, Empty, Fact, Facts, Heat, Page, Picture, Prose, Section, Table

_NO_CODE = Empty("The code has not been read into the catalog yet.", "lakehouse materialize")
LAYER_ORDER = """case layer when 'raw' then 0 when 'staging' then 1 when 'canonical' then 2 when 'identity' then 3
                 when 'marts' then 4 else 5 end"""


def assets_page(reading: Reading, asked: Asked, layer: str) -> Page:
    """Every asset by layer."""
    where, values = ("where current = 1 and layer = ?", (layer,)) if layer else ("where current = 1", ())
    number = reading.one(f"select count(*) from model {where}", *values)
    opaque = reading.one(f"select count(*) from model {where} and opaque is not null", *values)
    answer = (
        "No asset is known yet." if not number
        else f"{count(number)} assets; the source of every column is known." if not opaque
        else f"{count(number)} assets; of {count(opaque)} the source of columns is not known.")
    table = query_table(
        reading.db, asked, "assets", "Assets", (
            Column("layer", "Layer", "layer", href="/assets?layer={layer}"),
            Column("asset", "Asset", "code", href="/asset/{asset}"),
            Column("description", "What a row is"),
            Column("columns", "Columns", "count"),
            Column("phi", "Protection", "phi"),
            Column("rows", "Rows", "count"),
            Column("failed", "Checks failed", "count"),
            Column("newest", "Last written", "instant"),
            Column("owner", "Owner", "name"),
        ), f"""
        select m.asset, m.layer, m.description, m.owner, json_array_length(m.columns) as columns,
          (select max(json_extract(c.value, '$.phi')) from json_each(m.columns) c) as phi,
          w.partitions, w.rows, w.newest, coalesce(v.failed, 0) as failed
        from (select * from model {where}) m
        left join (select asset, count(*) as partitions, sum(rows) as rows, max(time) as newest from materialization
        group by asset) w
          on w.asset = m.asset
        left join (select asset, count(*) as failed from verdict where status = 'failed' group by asset) v on v.asset
        = m.asset
        """, values, f"{LAYER_ORDER}, asset", _NO_CODE)
    table = replace(table, rows=[{**row, "description": _first_sentence(str(row["description"]))} for row in table.rows])
    return Page("Which tables are there, and what is in them?", answer,
        "warning" if opaque else "passed" if number else "pending",
                [Crumb("Assets", "/assets"), *([Crumb(layer, layer=layer)] if layer else [])], [table])


def asset_page(reading: Reading, asked: Asked, asset: str) -> Page | None:
    """One asset; None where there is none of that name."""
    model = reading.db.execute("select * from model where asset = ? and current = 1", (asset,)).fetchone()
    if model is None:
        return None
    links = neighbours(reading.db, asset)
    rows = reading.one("select sum(rows) from materialization where asset = ?", asset)
    first, rest = definition(str(model["description"]))
    sections: list[Section] = [
        *([Facts("How it is defined", [Fact(label, text) for label, text in rest])] if rest else []),
        Facts("What it is", [
            Fact("Layer", model["layer"], "layer"), Fact("Owner", model["owner"]), Fact("Code version", model["code_version"], "id"),
            Fact("Partitions", reading.one("select count(*) from materialization where asset = ?", asset), "count"),
            *([Fact("Rows", rows, "count")] if rows else []),
        ]),
        *([_slices_table(reading, asked, asset)] if model["layer"] == "marts" else []),
        _asset_strip(reading, asked, asset),
        _columns_table(asked, asset, json.loads(model["columns"]), links),
        *_neighbour_picture(asset, links),
        link_table(asked, "edges", "Column edges, one step each way", [(1, link) for link in links]),
        _rowset_table(reading, asked, asset),
        verdict_table(reading, asked, "where asset = ? and status = 'failed'", (asset,)),
    ]
    if model["sql"]:
        sections.append(Code("SQL in force", model["sql"], folded=True))
    return Page(
        f"What is {asset}?", _asset_answer(first, model["opaque"]), "warning" if model["opaque"] else "passed",
        [Crumb("Assets", "/assets"), Crumb(model["layer"], f"/assets?layer={model['layer']}", model["layer"]),
        Crumb(asset)], sections)


def _first_sentence(description: str) -> str:
    words = " ".join(definition(description)[0].split()).split(". ", 1)[0].rstrip(".")
    return words[:1].upper() + words[1:]


_LABEL = re.compile(r"(?:(?<=[.;]) |\n)(?=[A-Z][A-Za-z ]{2,30}: )")


def definition(description: str) -> tuple[str, list[tuple[str, str]]]:
    """A description's first part, and its further parts by their labels (`Denominator: ...`)."""
    first, *others = _LABEL.split(description.removeprefix("grain: ").strip())
    parts = [part.strip().partition(": ") for part in others]
    return first.strip(), [(label, " ".join(text.split())) for label, _, text in parts]


def _asset_answer(first: str, opaque: str | None) -> str:
    words = " ".join(first.split()) or "No description has been written."
    words = words[:1].upper() + words[1:]
    if opaque:
        words += f" Column lineage is not known ({opaque}): every column read counts as a source."
    return words


def _slices_table(reading: Reading, asked: Asked, asset: str) -> Table:
    return query_table(
        reading.db, asked, "slices", "Slices by facility", (
            Column("facility_id", "Facility", "facility", href="/facility/{facility_id}"), Column("state", "State", "status"),
            Column("slices", "Slices", "count"), Column("first_date", "From", "date"), Column("last_date", "To", "date")),
        """select facility_id, state, count(*) as slices, min(service_date) as first_date, max(service_date) as last_date
           from slice where mart in (?, ?) group by facility_id, state""", (asset, asset.split(".", 1)[-1]), "state desc, facility_id",
        Empty("No slice has been built yet.", "lakehouse materialize"))


def _asset_strip(reading: Reading, asked: Asked, asset: str) -> Heat:
    rows = reading.db.execute(
        """
        select m.facility_id, m.batch_date, m.rows,
          coalesce(sum(v.status = 'failed' and v.severity = 'blocking'), 0) as blocking, coalesce(sum(v.status =
          'failed'), 0) as failed, count(v.status) as checks
        from materialization m left join verdict v on v.asset = m.asset and v.facility_id = m.facility_id and
        v.batch_date = m.batch_date where m.asset = ? group by m.facility_id, m.batch_date, m.rows
        """, (asset,)).fetchall()
    states = {}
    for row in rows:
        word = "failed" if row["blocking"] else "warning" if row["failed"] else "passed" if row["checks"] else "written"
        failed = f"{count(row['failed'])} of " if row["failed"] else ""
        said = f"{failed}{count(row['checks'])} checks {'failed' if failed else 'passed'}"
        states[row["facility_id"], row["batch_date"]] = (word, f"{count(row['rows'])} rows, {said}")
    newest = max((day for _, day in states), default=None)
    return strip(reading, "Checks by facility and batch date, worst first", states,
                 lambda facility, day: f"/asset/{asset}/{facility}/{day}", newest, asked.everything,
                 "● checks passed, or written with none, ▲ a check warns, ■ a blocking check failed, · nothing written.")


def _columns_table(asked: Asked, asset: str, columns: list[dict[str, Any]], links: list[ColumnLink]) -> Table:
    into = Counter(link.column for link in links if link.asset == asset)
    out_of = Counter(link.src_col for link in links if link.src_asset == asset and link.asset != asset)
    rows = [
        {**column, "asset": asset, "into": into[column["name"]], "out_of": out_of[column["name"]],
         "type": "" if column["type"] == "unknown" else column["type"]}
        for column in columns
    ]
    return rows_table(asked, "columns", "Columns", (
        Column("name", "Column", "code", href="/asset/{asset}/column/{name}"),
        Column("phi", "Protection", "phi", help="computed along the edges from the payload's fields"),
        Column("into", "Edges in", "count", href="/asset/{asset}/column/{name}"),
        Column("out_of", "Edges out", "count", href="/asset/{asset}/column/{name}"),
        Column("type", "Type"), Column("description", "Meaning")), rows, _NO_CODE)


def _neighbour_picture(asset: str, links: list[ColumnLink]) -> list[Section]:
    if not links:
        return [Prose("No column edge begins or ends here.")]
    direct = [link for link in links if link.type == "DIRECT"] or links
    near = [asset, *dict.fromkeys(other for link in direct for other in (link.src_asset, link.asset))]
    svg, hidden = draw(direct, near, frozenset(), f"Columns of {asset} and their neighbours")
    note = f"{hidden} more assets are in the table below." if hidden else ""
    return [Picture("Where its columns come from and go to, one step", svg, note)]


def _rowset_table(reading: Reading, asked: Asked, asset: str) -> Table:
    return query_table(
        reading.db, asked, "rows", "Columns that decide which rows there are", (
            Column("src_asset", "Asset", "code", href="/asset/{src_asset}"),
            Column("src_col", "Column", "code", href="/asset/{src_asset}/column/{src_col}"), Column("path",
            "Place in it", "code"),
            Column("kind", "How")),
        """select distinct r.src_asset, r.src_col, r.path, lower(replace(r.subtype, '_', ' ')) as kind
           from rowset_edge r join model m on m.asset = r.model and m.code_version = r.code_version and m.current = 1
           where r.model = ?""", (asset,), "src_asset, src_col, path, kind",
        Empty("Nothing filters, joins or groups: the rows are those of its source."))
