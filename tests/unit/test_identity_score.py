"""The weight of a pair, held against the library that trains its constants."""

from __future__ import annotations

import logging
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker

from transforms.identity.model import IdentityModel, load_model, splink_settings
from transforms.identity.records import FEATURE_SCHEMA, FULL_BLOCK_SCHEMA, open_records
from transforms.identity.score import score_pairs
from transforms.identity.training_population import training_population


def test_a_weight_is_what_splink_gives() -> None:
    """Of all pairs of 120 records, equal names and strangers, each weighs to a millionth of a bit what Splink predicts from the same constants."""
    model = load_model()
    records = training_population(60, 8).select(FEATURE_SCHEMA.names).slice(0, 120)
    connection = open_records(records, FULL_BLOCK_SCHEMA.empty_table(), model)
    connection.execute("create table pair as select l.id as id_l, r.id as id_r from record l join record r on l.id < r.id")
    score_pairs(connection, model, "pair", "scored")
    ours = dict(((left, right), weight) for left, right, weight in connection.execute("select * from scored").fetchall())
    theirs = _predicted(connection, model)
    connection.close()
    assert len(ours) == 120 * 119 // 2
    assert max(ours.values()) > 20 > -20 > min(ours.values())
    assert max(abs(ours[pair] - theirs[pair]) for pair in ours) <= 2e-6


def _predicted(connection: duckdb.DuckDBPyConnection, model: IdentityModel) -> dict[tuple[int, int], float]:
    """Weights of the pairs of table `pair` by Splink."""
    settings: dict[str, Any] = splink_settings(model.prior)
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"][1:]:
            constants = model.weights[comparison["output_column_name"]][level["label_for_charts"]]
            level["m_probability"], level["u_probability"] = constants
    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection)
    linker = Linker(api.register("record"), settings, log_level=None, validate_settings=False)
    connection.execute("create view blocked as select '0' as match_key, id_l as join_key_l, id_r as join_key_r from pair")
    linker.table_management.register_blocked_pairs_for_predict(api.register("blocked"))
    predicted = linker.inference.predict(warning_mode="never").physical_name
    return {(left, right): weight for left, right, weight in connection.execute(f"select id_l, id_r, match_weight from {predicted}").fetchall()}
