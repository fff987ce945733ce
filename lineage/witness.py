"""Witnesses: which current rows feed a row of a mart, found by running the mart's own model with a list of keys carried along.

Every select also yields, for each canonical relation, the list of `fact_key`s of the rows that went into the row. The number of rows and
their values stay as they are, so that windows, joins and groups above stay right. The model's CTE `slice` is pinned to the one slice
asked about, a view over current tables to the key of the one row. Replaying the model on the witnesses alone must give the same row again.

Rows that only decide (in EXISTS, IN or a scalar subquery) are influence and no witnesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from lineage.extract import Schemas
from lineage.scope_walk import asset_name, unwrap
from transforms.errors import ContractError

SLICE, GRAIN = "slice", "fact_key"
_PREFIX = "w__"
_REFUSED = (exp.Pivot, exp.Columns, exp.Except, exp.Intersect)
Pin = Callable[[str, str], exp.Expression]
_FEEDING = (exp.From, exp.Join, exp.CTE, exp.Lateral, exp.Create, exp.Insert)


def pinned(sql: str, dialect: str = "duckdb") -> exp.Expression:
    """The model with its slices pinned: two parameters, facility and service date. Raises ContractError where it has no slices."""
    try:
        tree: exp.Expression = sqlglot.parse_one(sql, read=dialect)
    except SqlglotError as fault:
        raise ContractError("the model's SQL does not parse") from fault
    cte = next((cte for cte in tree.find_all(exp.CTE) if cte.alias == SLICE), None)
    if cte is None:
        raise ContractError(f"the model is built in no slices: it has no CTE {SLICE}")
    one = "select cast(? as varchar) as facility_id, cast(? as date) as service_date"
    cte.set("this", sqlglot.parse_one(one, read=dialect))
    return tree


def pinned_to_key(sql: str, dialect: str = "duckdb") -> exp.Expression:
    """A view over current tables pinned to one of its rows: one parameter, its `fact_key`. Raises ContractError where the view has none."""
    try:
        body = sqlglot.parse_one(sql, read=dialect)
    except SqlglotError as fault:
        raise ContractError("the model's SQL does not parse") from fault
    if not isinstance(body, exp.Query) or GRAIN not in body.named_selects:
        raise ContractError(f"rows of this view cannot be told apart: it has no {GRAIN}")
    ctes = body.args.pop("with_", None)
    columns = [exp.column(name, table="derived") for name in body.named_selects]
    tree = exp.select(*columns).from_(body.subquery("derived")).where(f"derived.{GRAIN} = cast(? as varchar)", dialect=dialect)
    if ctes is not None:
        tree.set("with_", ctes)
    return tree


def witness_column(asset: str) -> str:
    """Name of the column that carries the keys of one relation."""
    return _PREFIX + asset.replace(".", "__")


def with_witnesses(sql: str, schemas: Schemas, relations: Iterable[str], pin: Pin = pinned) -> tuple[str, set[str]]:
    """The model, pinned by `pin`, with a column of keys for each of the relations that it reads, and which these are.

    Raises ContractError for a shape whose rows cannot be told apart (PIVOT, EXCEPT, INTERSECT, DISTINCT ON).
    """
    tree = pin(sql, schemas.dialect)
    refused = tree.find(*_REFUSED)
    if refused is not None:
        raise ContractError(f"rows cannot be told apart through {type(refused).__name__.upper()}")
    try:
        tree = qualify(tree, schema=schemas.mapping, dialect=schemas.dialect, quote_identifiers=False, identify=False)
    except SqlglotError as fault:
        raise ContractError("a column of the model cannot be resolved") from fault
    rewrite = _Rewrite(frozenset(relations), schemas.dialect)
    found: set[str] = set()
    for scope in list(traverse_scope(tree)):
        found = rewrite.scope(scope)
    return str(rewrite.root(tree).sql(dialect=schemas.dialect)), found


class _Rewrite:
    """One pass over the scopes, innermost first."""

    def __init__(self, relations: frozenset[str], dialect: str) -> None:
        self._relations, self._dialect = relations, dialect
        self._carried: dict[int, set[str]] = {}
        self._replaced: dict[int, exp.Expression] = {}

    def root(self, tree: exp.Expression) -> exp.Expression:
        """The tree, or what took its place."""
        return self._replaced.get(id(tree), tree)

    def scope(self, scope: Scope) -> set[str]:
        """Add the key columns to one scope; the relations that it carries."""
        expression = scope.expression
        carried: set[str] = set()
        if isinstance(expression, exp.SetOperation):
            carried = self._union(expression)
        elif isinstance(expression, exp.Select) and not _only_decides(expression):
            carried = self._select(scope, expression)
        self._carried[id(expression)] = carried
        return carried

    def _select(self, scope: Scope, select: exp.Select) -> set[str]:
        distinct = select.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            raise ContractError("rows cannot be told apart through DISTINCT ON")
        lists = self._lists(scope)
        grouped = select.args.get("group") is not None or any(
            aggregate.find_ancestor(exp.Window, exp.Select) is select
            for projection in select.expressions for aggregate in projection.find_all(exp.AggFunc))
        if distinct is not None and not grouped:
            select.set("distinct", None)
            select.set("group", exp.Group(expressions=[projection.unalias().copy() for projection in select.expressions]))
            grouped = True
        for asset in sorted(lists):
            keys = _concatenated(lists[asset])
            self._add(select, f"flatten(list({keys}))" if grouped else keys, asset)
        return set(lists)

    def _lists(self, scope: Scope) -> dict[str, list[str]]:
        """SQL of the key lists of each relation, by the sources of one select."""
        lists: dict[str, list[str]] = {}
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, exp.Table):
                asset = asset_name(source) if isinstance(source.this, exp.Identifier) else ""
                if asset in self._relations:
                    lists.setdefault(asset, []).append(f"case when {alias}.{GRAIN} is null then [] else [{alias}.{GRAIN}] end")
            else:
                for asset in self._carried.get(id(source.expression), ()):
                    lists.setdefault(asset, []).append(f"coalesce({alias}.{witness_column(asset)}, [])")
        return lists

    def _union(self, union: exp.SetOperation) -> set[str]:
        sides = [side for side in (unwrap(union.left), unwrap(union.right)) if side is not None]
        carried = set().union(*(self._carried.get(id(side), set()) for side in sides))
        for side in sides:
            self._align(side, carried)
        if carried and union.args.get("distinct"):
            self._group_union(union, carried)
        return carried

    def _align(self, side: exp.Expression | None, carried: set[str]) -> None:
        """All sides of a union carry the same relations in the same order, an empty list where one side has none."""
        side = unwrap(side)
        if isinstance(side, exp.SetOperation):
            self._align(side.left, carried)
            self._align(side.right, carried)
        if not isinstance(side, exp.Select):
            return
        own = {projection.alias: projection for projection in side.expressions if projection.alias.startswith(_PREFIX)}
        side.set("expressions", [projection for projection in side.expressions if projection.alias not in own])
        for asset in sorted(carried):
            column = own.get(witness_column(asset))
            if column is not None:
                side.append("expressions", column)
            else:
                self._add(side, "cast([] as varchar[])", asset)

    def _group_union(self, union: exp.SetOperation, carried: set[str]) -> None:
        """A union without duplicates: all rows first, then one of each with the keys of all that were equal."""
        names = [name for name in union.named_selects if not name.startswith(_PREFIX)]
        inner = union.copy()
        inner.set("distinct", False)
        ctes = inner.args.pop("with_", None)
        columns = [exp.column(name, table="either") for name in names]
        outer = exp.select(*columns).from_(inner.subquery("either")).group_by(*(column.copy() for column in columns))
        for asset in sorted(carried):
            self._add(outer, f"flatten(list(either.{witness_column(asset)}))", asset)
        if ctes is not None:
            outer.set("with_", ctes)
        if union.parent is not None:
            union.replace(outer)
        self._replaced[id(union)] = outer
        self._carried[id(outer)] = carried

    def _add(self, select: exp.Select, sql: str, asset: str) -> None:
        select.select(f"{sql} as {witness_column(asset)}", append=True, copy=False, dialect=self._dialect)


def _concatenated(lists: list[str]) -> str:
    keys = lists[0]
    for other in lists[1:]:
        keys = f"list_concat({keys}, {other})"
    return keys


def _only_decides(select: exp.Select) -> bool:
    """Does the select stand in EXISTS, IN or a scalar subquery?"""
    parent = select.parent
    while isinstance(parent, (exp.Subquery, exp.SetOperation)):
        if isinstance(parent.parent, (exp.From, exp.Join)):
            return False
        parent = parent.parent
    return parent is not None and not isinstance(parent, _FEEDING)


def on_witnesses_alone(sql: str, witnesses: Mapping[str, Iterable[str]], dialect: str = "duckdb", pin: Pin = pinned) -> str:
    """The model, pinned by `pin`, over the witnesses only; relations that carry none stay whole."""
    tree = pin(sql, dialect)
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        asset = asset_name(table) if isinstance(table.this, exp.Identifier) else ""
        if asset not in witnesses or (not table.db and table.name in names):
            continue
        keys = [exp.Literal.string(key) for key in sorted(set(witnesses[asset]))]
        alias = table.alias or table.name
        bare = table.copy()
        bare.set("alias", None)
        whole = exp.select("*").from_(bare)
        kept = whole.where(exp.column(GRAIN).isin(*keys)) if keys else whole.where("1 = 0")
        table.replace(kept.subquery(alias))
    return str(tree.sql(dialect=dialect))
