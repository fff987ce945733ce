"""The fold of a current model, taken from its own compiled SQL and pinned to one fact.

A trace that restated the fold in its own words would drift away from it. Here the model's text is used: the CTE `changed`, which names the
keys that a run derives, becomes the one key asked about; the CTE `version` then holds exactly the versions that count, the window
called `recency` their order, and the whole query the row as it would be derived now. Where a model leaves facts of one version out of
`version`, its CTE `history` names the others: the key asked about is taken for one of them, which folds to the same.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from transforms.errors import ContractError

CHANGED, HISTORY, VERSION, RECENCY = "changed", "history", "version", "recency"


class Fold:
    """A current model's SQL, pinned to one `fact_key`, which is the only parameter of both queries."""

    def __init__(self, sql: str, dialect: str = "duckdb") -> None:
        """Raises ContractError where the model has not the three parts that a fold consists of."""
        self._dialect = dialect
        try:
            self._tree = sqlglot.parse_one(sql, read=dialect)
        except SqlglotError as fault:
            raise ContractError("the model's SQL does not parse") from fault
        ctes = {cte.alias: cte for cte in self._tree.find_all(exp.CTE)}
        if not {CHANGED, VERSION} <= set(ctes):
            raise ContractError(f"the model is no fold: it has no CTEs {CHANGED} and {VERSION}")
        ctes[CHANGED].set("this", sqlglot.parse_one("select cast(? as varchar) as fact_key", read=dialect))
        if HISTORY in ctes:
            ctes[HISTORY].set("this", sqlglot.parse_one(f"select {CHANGED}.fact_key from {CHANGED}", read=dialect))
        self._order = self._recency_order()

    def _recency_order(self) -> exp.Order:
        # Other parts of a model may rank rows by recency, too: the fold's window is the one over the versions.
        for alias in self._tree.find_all(exp.Alias):
            order = alias.this.args.get("order") if alias.alias == RECENCY and isinstance(alias.this, exp.Window) else None
            if isinstance(order, exp.Order) and {column.table for column in order.find_all(exp.Column)} == {VERSION}:
                return order.copy()
        raise ContractError(f"the model is no fold: it has no window {RECENCY}")

    @property
    def replay_sql(self) -> str:
        """The row as the model derives it now."""
        return str(self._tree.sql(dialect=self._dialect))

    @property
    def versions_sql(self) -> str:
        """The versions that count, in the order of the fold, newest first."""
        kept = []
        for cte in self._tree.args["with_"].expressions:
            kept.append(cte.copy())
            if cte.alias == VERSION:
                break
        query = exp.select(f"{VERSION}.*").from_(VERSION)
        query.set("order", self._order.copy())
        query.set("with_", exp.With(expressions=kept))
        return str(query.sql(dialect=self._dialect))
