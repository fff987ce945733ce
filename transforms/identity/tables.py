"""The tables that the identity engine writes, as data, so that the warehouse can create them on both targets.

What belongs here: name, columns and types. Not here: what fills them (`assets/stores/identity.py`).
"""

from __future__ import annotations

from transforms.identity.records import FEATURE_SCHEMA

Columns = tuple[tuple[str, str], ...]

_KINDS = {"string": "varchar", "bool": "boolean", "date32[day]": "date"}

_PAIR: Columns = (("patient_key_l", "varchar"), ("patient_key_r", "varchar"))
_EDGE: Columns = (
    *_PAIR, ("rule_or_model", "varchar"), ("score", "double"), ("model_version", "varchar"), ("zone", "varchar"), ("veto", "varchar"),
    ("identifier", "varchar"), ("ssn", "varchar"), ("birth_date", "varchar"), ("given", "varchar"), ("family", "varchar"),
    ("middle", "varchar"), ("gender", "varchar"), ("suffix", "varchar"), ("phone", "varchar"), ("email", "varchar"),
    ("address", "varchar"), ("member", "varchar"),
)

TABLES: dict[str, Columns] = {
    # grain: one patient record that identity has looked at; `component_key` names its connected component before vetoes
    "identity.node": (
        ("patient_key", "varchar"), ("facility_id", "varchar"), ("component_key", "varchar"), ("features_hash", "varchar"),
        ("model_version", "varchar"), ("policy_version", "varchar"),
    ),
    # grain: one patient record and one value of one blocking rule
    "identity.block": (("patient_key", "varchar"), ("block_rule", "varchar"), ("block_key", "bigint")),
    # grain: one block that holds more records than its cap: it pairs nothing and its value is no evidence
    "identity.full_block": (("block_rule", "varchar"), ("block_key", "bigint"), ("patients", "bigint")),
    # grain: one pair with evidence for one human; zone auto, review or decided; the evidence levels in words
    "identity.edge": _EDGE,
    # grain: one linking edge as it was until a run found it gone or another; append-only, so that the history can say why a link was made
    "identity.edge_past": (*_EDGE, ("until_seq", "bigint")),
    # grain: one patient record that is not deleted
    "identity.link": (
        ("patient_key", "varchar"), ("facility_id", "varchar"), ("person_id", "varchar"), ("link_rule", "varchar"), ("score", "double"),
        ("policy_version", "varchar"), ("run_seq", "bigint"),
    ),
    # grain: one change of a record's person; append-only. event: link or unlink
    "identity.link_history": (
        ("run_seq", "bigint"), ("patient_key", "varchar"), ("facility_id", "varchar"), ("event", "varchar"), ("person_id", "varchar"),
        ("link_rule", "varchar"), ("score", "double"), ("model_version", "varchar"), ("policy_version", "varchar"),
    ),
    # grain: one person id that ever existed, with its ordinal; append-only, so that no id is used twice
    "identity.person_minted": (("person_id", "varchar"), ("ordinal", "bigint"), ("run_seq", "bigint")),
    # grain: one change of where a person that was merged away went; append-only. The newest row of a person holds and points to a
    # person that lives: a row is added where that one is merged away in its turn, and where a split brings a person back (to itself)
    "identity.person_redirect": (("person_id", "varchar"), ("to_person_id", "varchar"), ("run_seq", "bigint")),
    # grain: one open question to a steward. reason: review (evidence short of linking), conflict (linking would join a veto
    # pair) or merge_conflict (a trusted merge joins a veto pair)
    "identity.review_pair": (
        *_PAIR, ("reason", "varchar"), ("rule_or_model", "varchar"), ("score", "double"), ("veto", "varchar"),
        ("model_version", "varchar"), ("policy_version", "varchar"), ("run_seq", "bigint"),
    ),
    # grain: one decision of a steward on a pair; append-only; the newest `decision_seq` of a pair holds.
    # decision: link, cannot_link or withdrawn
    "identity.decision": (
        *_PAIR, ("decision_seq", "bigint"), ("decision", "varchar"), ("decided_by", "varchar"), ("decided_time", "timestamp"),
        ("reason", "varchar"), ("score", "double"), ("evidence", "varchar"), ("model_version", "varchar"), ("policy_version", "varchar"),
    ),
    # grain: one opinion of a steward on a pair where a decision needs several; append-only. It stands while `decision_seq` is the pair's
    # newest decision (0: none); equal ones of as many stewards as the setting asks for become a decision
    "identity.opinion": (
        *_PAIR, ("opinion_seq", "bigint"), ("decision_seq", "bigint"), ("decision", "varchar"), ("said_by", "varchar"),
        ("said_time", "timestamp"), ("reason", "varchar"), ("policy_version", "varchar"),
    ),
    # grain: one patient record as it was last compared: what its next content is held against
    "identity.compared": tuple((name, _KINDS[str(FEATURE_SCHEMA.field(name).type)]) for name in FEATURE_SCHEMA.names),
    # grain: one change of a record's content that looks like another human (an overlay); append-only. score: old against new
    "identity.overlay": (
        ("patient_key", "varchar"), ("facility_id", "varchar"), ("run_seq", "bigint"), ("score", "double"), ("model_version", "varchar"),
    ),
    # grain: one answer of a steward to an overlay; append-only; the newest `answer_seq` of an overlay holds. answer: no_overlay or overlay
    "identity.overlay_answer": (
        ("patient_key", "varchar"), ("run_seq", "bigint"), ("answer_seq", "bigint"), ("answer", "varchar"), ("decided_by", "varchar"),
        ("decided_time", "timestamp"), ("reason", "varchar"),
    ),
    # grain: one resolution: when what its `run_seq` says became known
    "identity.resolution": (
        ("run_seq", "bigint"), ("recorded_time", "timestamp"), ("model_version", "varchar"), ("policy_version", "varchar"),
    ),
}

# work lists of the resolution in progress, empty between resolutions: no product, no asset
WORK_TABLES: dict[str, Columns] = {
    # what people say now, what they said when last resolved, and which of it came or went
    "identity.resolve_wanted": (*_PAIR, ("rule_or_model", "varchar"), ("zone", "varchar")),
    "identity.resolve_held": (*_PAIR, ("rule_or_model", "varchar")),
    "identity.resolve_redecided": (*_PAIR, ("rule_or_model", "varchar")),
    "identity.resolve_scope": (("patient_key", "varchar"),),
    "identity.resolve_altered": (("patient_key", "varchar"),),
    # blocks of the scope as they were and as they are, the records of which some went, and the members of touched blocks
    "identity.resolve_former": (("patient_key", "varchar"), ("block_rule", "varchar"), ("block_key", "bigint")),
    "identity.resolve_fresh": (("patient_key", "varchar"), ("block_rule", "varchar"), ("block_key", "bigint")),
    "identity.resolve_moved": (("patient_key", "varchar"),),
    "identity.resolve_member": (("patient_key", "varchar"), ("block_key", "bigint")),
    "identity.resolve_block": (("block_rule", "varchar"), ("block_key", "bigint")),
    "identity.resolve_full": (("block_rule", "varchar"), ("block_key", "bigint"), ("patients", "bigint")),
    "identity.resolve_affected": (("patient_key", "varchar"),),
    # components, as they were, of the records that are read
    "identity.resolve_component": (("patient_key", "varchar"), ("component_key", "varchar")),
    "identity.resolve_past": _EDGE,
    "identity.resolve_veto": (*_PAIR, ("veto", "varchar")),
    # edges of the records that are clustered anew
    "identity.resolve_edge": (
        *_PAIR, ("rule_or_model", "varchar"), ("score", "double"), ("veto", "varchar"), ("model_version", "varchar"), ("zone", "varchar"),
        ("given", "varchar"),
    ),
    "identity.resolve_question": (
        *_PAIR, ("reason", "varchar"), ("rule_or_model", "varchar"), ("score", "double"), ("veto", "varchar"), ("model_version", "varchar"),
    ),
}


def create_statements(tables: dict[str, Columns]) -> list[str]:
    """Give one `create table if not exists` for each table, valid on DuckDB and Snowflake."""
    return [
        f"create table if not exists {name} ({', '.join(f'{column} {kind}' for column, kind in columns)})"
        for name, columns in tables.items()
    ]
