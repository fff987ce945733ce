"""Commands that ask where something comes from: `lineage` and `trace`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import typer

from orchestration.cli.printing import Json, print_table
from transforms.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(lineage)
    app.command()(trace)


def lineage(
    asset: str = typer.Argument(..., help="Asset `schema.table`, for instance marts.mart_readmission."),
    column: str | None = typer.Argument(None, help="Column; without it the asset's columns are listed."),
    down: bool = typer.Option(False, "--down", help="Where the column goes, instead of where it comes from."),
    as_json: bool = Json,
) -> None:
    """Show a column's upstream, down to raw, or its downstream. Reads the catalog only."""
    from lineage.audit_log import open_catalog
    from lineage.links import downstream_way, upstream_way
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    path = open_root(load_settings()).home / "catalog" / "audit.sqlite"
    with open_catalog(path) as catalog:
        row = catalog.execute("select columns from model where asset = ? and current = 1", (asset,)).fetchone()
        if row is None:
            raise ConfigurationError(f"{asset}: the catalog knows no such asset. Remedy: lakehouse materialize, or a name as on its page.")
        columns = json.loads(row[0])
        if column is None:
            print_table(columns, ["name", "type", "phi"], as_json=as_json)
            return
        if column not in {known["name"] for known in columns}:
            raise ConfigurationError(f"{asset} has no column {column}. Remedy: `lakehouse lineage {asset}` lists its columns.")
        found = (downstream_way if down else upstream_way)(catalog, asset, column)
    rows = [
        {"hops": hops, "from": f"{link.src_asset}.{link.src_col}", "to": f"{link.asset}.{link.column}", "how": link.subtype.lower()}
        for hops, link in found.values
    ]
    if not as_json:
        reached = sorted({(link.asset if down else link.src_asset).split(".")[0] for _, link in found.values})
        verb = "reaches" if down else "comes from"
        print(f"{asset}.{column} {verb} {len(rows)} column edges, through {', '.join(reached) or 'nothing'}.")
    print_table(rows, ["hops", "from", "to", "how"], as_json=as_json)


def trace(
    asset: str = typer.Argument(..., help="`canonical.<resource>` or `marts.<mart>`."),
    key: list[str] = typer.Option(..., "--key", help="Key of the row, `column=value`; may be repeated."),
    column: str = typer.Option("", help="One column; default: the whole row."),
    purpose: str = typer.Option("audit", help="Why you look; recorded."),
    as_json: bool = Json,
) -> None:
    """Trace a row to the records, the payload and the bytes behind it. The look is recorded before it is shown."""
    from getpass import getuser

    from lineage.trace_result import Question
    from orchestration.catalog.tracing import warehouse_tracer
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    pairs = dict(_pair(text) for text in key)
    question = Question(asset, pairs, column, getuser(), purpose)
    tracer = warehouse_tracer(open_root(load_settings()))
    found = tracer.trace(question)
    tracer.record(question, found)
    if as_json:
        print(json.dumps(asdict(found), default=str, indent=1))
        return
    print(found.answer + (f" ({found.badge})" if found.badge else ""))
    for step in found.steps:
        print_table([_shown(step)], ["layer", "asset", "key", "where"], title=step.title)


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise ConfigurationError(f"--key {text}: no `=`. Remedy: --key column=value.")
    return name, value


def _shown(step: Any) -> dict[str, Any]:
    cut = step.excerpt
    where = f"{cut.locator}, bytes {cut.offset} to {cut.offset + cut.length}" if cut else step.rule
    return {"layer": step.layer, "asset": step.asset, "key": ", ".join(f"{name}={value}" for name, value in step.key), "where": where}
