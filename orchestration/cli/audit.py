"""`lakehouse catalog`: serve the pages, verify the audit log, export what it holds."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from orchestration.cli.printing import Json, print_table
from transforms.errors import LakehouseError

app = typer.Typer(no_args_is_help=True, help="The audit catalog: pages, verification, export.")


@app.command()
def serve(port: int = typer.Option(8000, help="Port."), host: str = typer.Option("127.0.0.1", help="Address to listen on.")) -> None:
    """Serve the audit catalog's pages."""
    import uvicorn

    from orchestration.catalog_serving import catalog_app
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    settings = load_settings()
    print(f"The audit catalog is on http://{host}:{port} (stop with Ctrl-C).")
    uvicorn.run(catalog_app(open_root(settings), settings, host), host=host, port=port, log_level="warning", access_log=False)


@app.command()
def verify(
    no_anchor: bool = typer.Option(False, "--no-anchor", help="Accept that no anchor outside the database is compared."),
    anchors: Path | None = typer.Option(None, help="Anchors file. Default: the root's own."),
    public_key: list[Path] | None = typer.Option(None, help="File with the signer's public key as you know it, 64 hex digits. May be "
                                                            "repeated. Default: the root's own."),
    as_json: bool = Json,
) -> None:
    """Prove that the audit log is whole: consistent, signed, anchored, and all that the catalog shows is in it. Exit 1 where not."""
    from assets.stores.signing_key import public_key as known_key
    from lineage.audit_completeness import completeness
    from lineage.audit_log import open_catalog, read_anchors
    from lineage.audit_verify import verify as verify_log
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    home = open_root(load_settings()).home
    store = home / "catalog" / "audit.sqlite"
    path = anchors or home / "catalog" / "anchors.jsonl"
    notes = () if no_anchor or not path.exists() else read_anchors(path)
    found = verify_log(store, notes, [known_key(file) for file in public_key or [home / "keys" / "audit.pem.pub"]])
    answers = {"internally consistent": found.consistent, "signed": found.signed, "consistent with anchors": found.anchored}
    if found.consistent.ok:
        with open_catalog(store) as connection:
            answers["catalog agrees with the log"] = completeness(connection)
    rows = [{"question": name, "holds": answer.ok, "answer": answer.sentence} for name, answer in answers.items()]
    if not as_json:
        print(f"The audit log holds {found.entries:,} entries and {found.checkpoints:,} checkpoints.")
    print_table(rows, ["question", "holds", "answer"], as_json=as_json)
    unproved = [name for name, answer in answers.items() if not answer.ok and not (no_anchor and name == "consistent with anchors")]
    if unproved:
        raise LakehouseError(f"Not proved: {', '.join(unproved)}. Remedy: compare with a copy; keep this file as evidence.")


@app.command()
def export(out: Path = typer.Argument(..., help="File to write, one JSON object a line.")) -> None:
    """Write every entry of the audit log as JSON lines, in order."""
    from lineage.audit_log import every_entry, open_catalog
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    with open_catalog(open_root(load_settings()).home / "catalog" / "audit.sqlite") as connection, out.open("w", encoding="utf-8") as file:
        for entry in every_entry(connection):
            # The entry's own text, whose hash the leaf is: with the checkpoints it can be verified elsewhere.
            file.write(json.dumps({"seq": entry.seq, "leaf": entry.leaf.hex(), "text": entry.text}) + "\n")
    print(f"Exported to {out}.")
