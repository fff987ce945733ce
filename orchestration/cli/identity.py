"""`lakehouse identity`: the person index from the command line."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from orchestration.cli import identity_decisions, identity_file, identity_rebuild
from orchestration.cli.printing import Json, print_table

app = typer.Typer(no_args_is_help=True, help="The person index: review queue, decisions, and the history of a record.")
for command in (identity_file.resolve, identity_decisions.link, identity_decisions.unlink, identity_decisions.overlay,
                identity_decisions.steward, identity_rebuild.rebuild):
    app.command()(command)


@app.command()
def review(
    limit: int = typer.Option(20, help="Pairs shown."),
    pair: tuple[str, str] = typer.Option(("", ""), help="Two keys: show what speaks for and against them, field by field."),
    as_json: bool = Json,
) -> None:
    """List pairs of patient records that wait for a steward: keys, rule and score, never names."""
    if pair[0]:
        _evidence(*pair, as_json=as_json)
        return
    from assets.stores.identity_questions import incomparable
    from assets.stores.identity_review import open_pairs, queue
    from orchestration.asking import ask

    with ask() as warehouse:
        rows, rules, alone = open_pairs(warehouse, limit), queue(warehouse), incomparable(warehouse)
    if not as_json:
        oldest = min((str(rule["since"])[:10] for rule in rules if rule["since"]), default="")
        print(f"{len(rows)} of {sum(int(str(rule['waiting'])) for rule in rules):,} waiting pairs, highest score first"
              + (f"; the oldest waits since {oldest}. " if oldest else ". ")
              + f"{alone:,} records have nothing to compare. What asking yielded: lakehouse identity feedback")
    print_table(rows, ["patient_key_l", "patient_key_r", "reason", "rule_or_model", "score", "veto", "since"], as_json=as_json)


@app.command()
def feedback(
    permitted: float = typer.Option(0.0001, help="Share of false links that the owner accepts."),
    as_json: bool = Json,
) -> None:
    """Show what asking yielded, by rule, veto and score, how long pairs wait, and thresholds that answers speak for; changes nothing."""
    from assets.stores.identity_feedback import answers
    from assets.stores.identity_review import queue
    from orchestration.asking import ask
    from transforms.identity.feedback import proposals

    with ask() as warehouse:
        given, waiting = answers(warehouse), queue(warehouse)
    proposed = [asdict(one) for one in proposals(given, permitted)]
    if as_json:
        print(json.dumps({"answers": [asdict(one) for one in given], "queue": waiting, "proposals": proposed}, default=str))
        return
    print_table([asdict(one) for one in given], ["rule", "veto", "band", "one_human", "two_humans"], as_json=False)
    print_table(waiting, ["asked_by", "waiting", "since", "linked", "kept_apart"], as_json=False)
    print(f"{len(proposed)} proposals at a permitted share of {permitted:g}; a new policy version carries one out (docs/identity.md).")
    print_table(proposed, ["rule", "action", "score", "decided", "contrary", "bound"], as_json=False)


@app.command()
def history(patient_key: str = typer.Argument(..., help="Key of a patient record."), as_json: bool = Json) -> None:
    """Show which persons a patient record was linked to, when, by which rule, and which levels of evidence spoke for it then."""
    from assets.stores.identity_questions import link_history
    from orchestration.asking import ask

    with ask() as warehouse:
        rows = link_history(warehouse, patient_key)
    print_table(rows, ["run_seq", "event", "person_id", "link_rule", "score", "policy_version", "other", "evidence"], as_json=as_json)


@app.command()
def overlays(
    limit: int = typer.Option(20, help="Records shown."),
    everything: bool = typer.Option(False, "--all", help="Those that were answered too."),
    as_json: bool = Json,
) -> None:
    """List records whose content became someone else's, newest first: keys, scores, and with how many others each is linked now."""
    from assets.stores.identity_overlay_answers import overlay_counts
    from assets.stores.identity_overlay_answers import overlays as raised
    from orchestration.asking import ask

    with ask() as warehouse:
        rows, counts = raised(warehouse, limit, everything), overlay_counts(warehouse)
    if not as_json:
        print(f"{counts['waiting']:,} changes of content that speak of another human wait; {counts['overlay']:,} were another human's, "
              f"{counts['no_overlay']:,} were not. Where others are linked: lakehouse identity unlink KEY OTHER --reason WHY. "
              "Then: lakehouse identity overlay KEY RUN overlay|no_overlay --reason WHY")
    print_table(rows, ["patient_key", "facility_id", "run_seq", "score", "person_id", "link_rule", "others",
                       *(["answer", "decided_by", "answer_seq"] if everything else [])], as_json=as_json)


@app.command()
def who(
    patient_key: str = typer.Argument(..., help="Key of a patient record."),
    on: str = typer.Option(..., help="As sources said by the end of this day (UTC)."),
    known: str = typer.Option(..., help="As known here by the end of this day (UTC)."),
    as_json: bool = Json,
) -> None:
    """Show who someone was on one day, as known on another: the records of the person that the record belonged to."""
    from assets.stores.identity_questions import who_was
    from orchestration.asking import ask
    from orchestration.cli.scope import parse_day

    with ask() as warehouse:
        rows = who_was(warehouse, patient_key, parse_day(on, "--on"), parse_day(known, "--known"))
    print_table(rows, ["person_id", "patient_key", "facility_id", "source_time", "link_rule", "policy_version"], as_json=as_json)


@app.command()
def train(
    out: Path = typer.Option(..., help="Model file to write; use it by LAKEHOUSE_IDENTITY_MODEL, or by `identity resolve --model`."),
    records: Path = typer.Option(None, help="Train on this Parquet file instead (columns: docs/identity.md); person_no says who is who."),
) -> None:
    """Train a model on this root's patient records, or on a file's. No run trains by itself, and no model holds a record."""
    from assets.stores.identity_read import all_features
    from orchestration.asking import ask
    from transforms.identity.train import model_text

    if records is not None:
        features = identity_file.features_of(records)
    else:
        with ask() as warehouse:
            features = all_features(warehouse)
    out.write_text(model_text(features, f"{features.num_rows} patient records"), encoding="utf-8")
    use = f"LAKEHOUSE_IDENTITY_MODEL={out} lakehouse materialize" if records is None else f"lakehouse identity resolve --model {out}"
    print(f"Trained on {features.num_rows:,} patient records. Next: {use}")


def _evidence(left: str, right: str, *, as_json: bool) -> None:
    from assets.stores.identity import utc_now
    from assets.stores.identity_decisions import newest_decision
    from assets.stores.identity_questions import pair_evidence
    from assets.stores.identity_review import opinions_for
    from orchestration.asking import ask_warehouse
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from transforms.errors import ConfigurationError
    from transforms.identity.evidence import waterfall
    from transforms.identity.model import load_model

    root = open_root(load_settings())
    with ask_warehouse(root) as warehouse:
        edge = pair_evidence(warehouse, left, right)
        left, right = sorted((left, right))
        decided = newest_decision(warehouse, left, right)
        opinions = opinions_for(warehouse, left, right, identity_decisions.account())
    if edge is None:
        raise ConfigurationError("identity: no evidence is kept on this pair. Remedy: take both keys from `lakehouse identity review`.")
    score = edge["score"]
    rows = waterfall(load_model(root.identity_model), edge, float(str(score)) if score is not None else None)
    if not as_json:
        reason = root.policy(utc_now().date()).veto_reason(edge["veto"])
        veto = f"{edge['veto']} ({reason})" if reason else edge["veto"] or "none"
        print(f"Rule {edge['rule_or_model']}, zone {edge['zone']}, veto {veto}. "
              + (f"Decision {decided['decision_seq']} holds: {decided['decision']}." if decided else "Nobody decided yet."))
        for one in opinions.shown:
            print(f"{one['said_by']} says: {one['decision']}. Another steward is needed.")
        if opinions.hidden:
            print(f"{opinions.hidden} other stewards have given an opinion. You see it when you have given yours.")
    print_table(rows, ["comparison", "level", "bits", "total"], as_json=as_json)
