"""`lakehouse identity`: the person index from the command line."""

from __future__ import annotations

import typer

from orchestration.cli import identity_file
from orchestration.cli.printing import Json, print_table

app = typer.Typer(no_args_is_help=True, help="The person index: review queue and the history of a record.")
app.command()(identity_file.resolve)


@app.command()
def review(limit: int = typer.Option(20, help="Pairs shown."), as_json: bool = Json) -> None:
    """List pairs of patient records that wait for a steward: keys, rule and score, never names."""
    rows = _query("select patient_key_l, patient_key_r, reason, rule_or_model, score, veto from LAKE.identity.review_pair "
                  "order by score desc nulls last, patient_key_l, patient_key_r limit ?", [limit])
    if not as_json:
        print(f"{len(rows)} pairs shown; highest score first.")
    print_table(rows, ["patient_key_l", "patient_key_r", "reason", "rule_or_model", "score", "veto"], as_json=as_json)


@app.command()
def history(patient_key: str = typer.Argument(..., help="Key of a patient record."), as_json: bool = Json) -> None:
    """Show which persons a patient record was linked to, when and by which rule."""
    rows = _query("select run_seq, event, person_id, link_rule, score, policy_version from LAKE.identity.link_history "
                  "where patient_key = ? order by run_seq, event desc", [patient_key])
    print_table(rows, ["run_seq", "event", "person_id", "link_rule", "score", "policy_version"], as_json=as_json)


def _query(sql: str, parameters: list[object]) -> list[dict[str, object]]:
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    with open_root(load_settings()).warehouse.open(read_only=True) as warehouse:
        return list(warehouse.query(sql, parameters).to_pylist())
