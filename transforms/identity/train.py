"""Training: from records to a new model. No run trains by itself; a steward does, on purpose.

With known humans (`person_no`) the agreement of true pairs is counted; without them Splink's expectation maximisation finds it.
Agreement of chance pairs is sampled, and term frequencies are counted and registered, in both cases.
"""

from __future__ import annotations

import json
import logging
import warnings
from typing import Any

import duckdb
import pyarrow as pa

from transforms.identity.comparisons import COMPARISONS
from transforms.identity.model import IdentityModel, load_model, splink_settings
from transforms.identity.records import FEATURE_SCHEMA, FULL_BLOCK_SCHEMA, open_records

# a constant: the odds before any evidence in a network of about a million records, two or three of each human
PRIOR = 2e-6
BLOCK_CAPS = {
    "identifier": 40, "ssn": 40, "member": 60, "phone": 40, "email": 40, "address": 80,
    "birth_date_initials": 400, "birth_date_family": 400,
    "birth_date_swapped": 200, "birth_date_place": 400, "birth_date_ssn": 200, "name_place": 200, "name_ssn": 200,
    "name": 5, "given": 5,
}
_LEAST_SHARE = 2e-4
_SEED = 20260101


def train(records: pa.Table, trained_on: str, chance_pairs: int = 5_000_000) -> IdentityModel:
    """Train a model on records (columns of FEATURE_SCHEMA; `person_no` where the humans are known).

    `trained_on` says on what, for people; it becomes part of the model's content and so of its version. `chance_pairs`: random pairs
    from which the agreement of two humans is estimated.
    """
    return load_model(model_text(records, trained_on, chance_pairs))


def model_text(records: pa.Table, trained_on: str, chance_pairs: int = 5_000_000) -> str:
    """Train and give the text of the model file."""
    connection = open_records(records.select(FEATURE_SCHEMA.names), FULL_BLOCK_SCHEMA.empty_table())
    try:
        labelled = "person_no" in records.column_names
        connection.execute("create view training as select * from record")
        if labelled:
            connection.register("label", records.select(["patient_key", "person_no"]))
            connection.execute(
                "create or replace view training as select record.*, label.person_no from record join label using (patient_key)")
        content = {
            "trained_on": trained_on, "prior": PRIOR, "weights": _weights(connection, labelled, chance_pairs), "block_caps": BLOCK_CAPS,
            "frequencies": {column: _frequencies(connection, column) for column in ("family", "given")},
            "default_frequency": {"family": _LEAST_SHARE / 8, "given": _LEAST_SHARE / 4},
        }
    finally:
        connection.close()
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _weights(connection: duckdb.DuckDBPyConnection, labelled: bool, chance_pairs: int) -> dict[str, dict[str, list[float]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a parser that Splink's own dependency imports
        from splink import DuckDBAPI, Linker, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection)
    linker = Linker(api.register("training"), splink_settings(PRIOR), log_level=None, validate_settings=False)
    linker.training.estimate_u_using_random_sampling(max_pairs=chance_pairs, seed=_SEED)
    if labelled:
        linker.training.estimate_m_from_label_column("person_no")
    else:
        for rule in (block_on("family", "given"), block_on("birth_date")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return _read_weights(linker.misc.save_model_to_json())


def _read_weights(settings: dict[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Take m and u out of a trained model; a level that the records never showed gets a weight of little evidence."""
    unseen, floor = 1e-4, 1e-7
    weights: dict[str, dict[str, list[float]]] = {}
    for comparison, trained in zip(COMPARISONS, settings["comparisons"], strict=True):
        levels = {level["label_for_charts"]: level for level in trained["comparison_levels"] if not level.get("is_null_level")}
        weights[comparison.name] = {
            name: [round(max(float(levels[name].get("m_probability") or unseen), unseen), 9),
                   round(max(float(levels[name].get("u_probability") or floor), floor), 9)]
            for name in comparison.level_names()
        }
    return weights


def _frequencies(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, float]:
    rows = connection.execute(
        f"select {column}, round(count(*) / sum(count(*)) over (), 6) as share from record where {column} is not null "
        f"group by {column} qualify share >= {_LEAST_SHARE} order by {column}").fetchall()
    return {value: float(share) for value, share in rows}
