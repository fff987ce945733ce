"""Fellegi-Sunter match weights, by Splink with registered constants.

A weight is log2 of the odds that two records are of one human. It depends on the two records and on the model alone: term
frequencies come from the model, never from the data at hand, so that a pair weighs the same in a small run as in a full one.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings

import duckdb

from transforms.identity.comparisons import COMPARISONS
from transforms.identity.model import IdentityModel

# Splink keeps module-wide state (its log level), so one scoring at a time in a process
_ONE_AT_A_TIME = threading.Lock()


def score_pairs(connection: duckdb.DuckDBPyConnection, model: IdentityModel, pairs: str, scored: str) -> None:
    """Create table `scored` (id_l, id_r, weight) from table `pairs` (id_l, id_r; id_l < id_r) of `record` ids.

    Raises nothing of its own: an empty `pairs` gives an empty `scored`.
    """
    count = connection.execute(f"select count(*) from {pairs}").fetchone()
    if not count or not count[0]:
        connection.execute(f"create table {scored} (id_l bigint, id_r bigint, weight double)")
        return
    ids = f"select id_l from {pairs} union select id_r from {pairs}"
    connection.execute(f"create view scorer_input as select id, {', '.join(_scored_columns())} from record where id in ({ids})")
    connection.execute(f"create view scorer_pairs as select '0' as match_key, id_l as join_key_l, id_r as join_key_r from {pairs}")
    with _ONE_AT_A_TIME:
        predictions = _predict(connection, model)
    connection.execute(f"create table {scored} as select id_l, id_r, round(match_weight, 6) as weight from {predictions}")
    connection.execute(f"drop table {predictions}")
    connection.execute("drop view scorer_input")
    connection.execute("drop view scorer_pairs")


def _scored_columns() -> list[str]:
    """Give the columns of `record` that the comparisons read, and the shares of names, which are known for every name there."""
    conditions = " ".join(f"{one.unknown} {' '.join(level.condition for level in one.levels)}" for one in COMPARISONS)
    return sorted({*re.findall(r"\b(\w+)_l\b", conditions), "tf_given", "tf_family"})


def _predict(connection: duckdb.DuckDBPyConnection, model: IdentityModel) -> str:
    # imported here: half a second that only scoring has to pay
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a parser that Splink's own dependency imports
        from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection)
    linker = Linker(api.register("scorer_input"), model.settings(), log_level=None, validate_settings=False)
    for column in ("given", "family"):
        linker.table_management.register_term_frequency_lookup(api.register(f"frequency_{column}"), column)
    linker.table_management.register_blocked_pairs_for_predict(api.register("scorer_pairs"))
    name: str = linker.inference.predict(warning_mode="never").physical_name
    return name
