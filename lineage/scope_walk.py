"""The walk over a query's scopes, innermost first: sources of every column and of every row set, in one pass.

Each scope (CTE, derived table, subquery, set operation, lateral) is looked at once. A column reference is resolved
through the scope's sources, climbing to the enclosing scope where it is correlated; what was found for the source is
composed with what the expression does to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from lineage.classify import classify
from lineage.edges import (
    AGGREGATION,
    DIRECT,
    FILTER,
    GROUP_BY,
    INDIRECT,
    JOIN,
    ROWS,
    SORT,
    SUBQUERY,
    TRANSFORMATION,
    WINDOW,
    Edge,
    Step,
    compose,
    indirect,
)

COMPUTED = Step(subtype=TRANSFORMATION)
ANY = "*"
"""Output of an unnest or table function: whatever the column is called, it comes from the inputs."""

_LATERAL = (exp.Unnest, exp.Lateral, exp.TableFromRows, exp.Values)
_EXPLODING = (exp.Explode, exp.Unnest)


class OpaqueShapeError(Exception):
    """A shape that the walk does not understand. The message names the shape."""


class UnknownColumnError(Exception):
    """A column that its relation does not have. The message names relation and column."""


@dataclass
class Found:
    """What was found for one scope."""

    outputs: list[tuple[str, set[Edge]]] = field(default_factory=list)
    """Sources of each output column, in order; a name may occur twice."""
    influence: set[Edge] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    """Assets whose rows become the rows of this scope."""

    @cached_property
    def columns(self) -> dict[str, set[Edge]]:
        """Sources by name."""
        columns: dict[str, set[Edge]] = {}
        for name, edges in self.outputs:
            columns[name] = columns.get(name, set()) | edges
        return columns

    def all_edges(self) -> set[Edge]:
        """Sources of all columns together."""
        return {edge for _, edges in self.outputs for edge in edges}

    def row_edges(self) -> set[Edge]:
        """The rows themselves as sources."""
        return {Edge(asset, ROWS, DIRECT, AGGREGATION, keeps=False) for asset in self.rows}


def asset_name(table: exp.Table) -> str:
    """`schema.table` in lower case; the database is one and the same everywhere."""
    return ".".join(part.name for part in table.parts[-2:]).lower()


def unwrap(query: exp.Expression | None) -> exp.Expression | None:
    """The query inside parentheses."""
    while isinstance(query, exp.Subquery) and not query.args.get("joins"):
        query = query.this
    return query


class ScopeWalk:
    """One walk over one qualified query."""

    def __init__(self, columns_of: Callable[[str], Iterable[str]]) -> None:
        """`columns_of` gives the columns of a relation by `schema.table`; empty where the relation is not known."""
        self._columns_of = columns_of
        self._found: dict[int, Found] = {}

    def run(self, tree: exp.Expression) -> Found:
        """Sources of the whole query. Raises OpaqueShapeError, UnknownColumnError."""
        last = Found()
        for scope in traverse_scope(tree):
            self._found[id(scope.expression)] = last = self._scope(scope)
        return last

    def _scope(self, scope: Scope) -> Found:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            return self._set_operation(expression)
        if isinstance(expression, _LATERAL) or scope.is_udtf:
            return self._lateral(scope)
        if isinstance(expression, exp.Select):
            return self._select(scope)
        raise OpaqueShapeError(type(expression).__name__)

    def _of(self, query: exp.Expression | None) -> Found:
        found = self._found.get(id(query))
        if found is None:
            raise OpaqueShapeError("a query outside the walk, as in a recursive reference")
        return found

    def _set_operation(self, expression: exp.SetOperation) -> Found:
        left, right = self._of(unwrap(expression.left)), self._of(unwrap(expression.right))
        if expression.args.get("by_name"):
            mine, theirs = left.columns, right.columns
            names = [*mine, *(name for name in theirs if name not in mine)]
            outputs = [(name, mine.get(name, set()) | theirs.get(name, set())) for name in names]
        elif len(left.outputs) != len(right.outputs):
            raise OpaqueShapeError("set operation over different numbers of columns")
        else:
            pairs = zip(left.outputs, right.outputs, strict=True)
            outputs = [(name, edges | others) for (name, edges), (_, others) in pairs]
        found = Found(outputs, left.influence | right.influence, left.rows | right.rows)
        if not isinstance(expression, exp.Union) or expression.args.get("distinct"):
            found.influence |= indirect(found.all_edges(), FILTER)
        return found

    def _lateral(self, scope: Scope) -> Found:
        expression = scope.expression
        inner = unwrap(expression.this) if isinstance(expression, exp.Lateral) else None
        if inner is not None and id(inner) in self._found:
            return self._found[id(inner)]
        edges: set[Edge] = set()
        for column in expression.find_all(exp.Column):
            step = classify(column, expression)._replace(type=DIRECT, subtype=TRANSFORMATION)
            edges |= {compose(edge, step) for edge in self._resolve(column, scope)}
        return Found([(ANY, edges)], indirect(edges, JOIN))

    def _select(self, scope: Scope) -> Found:
        found = Found()
        self._inherit(scope, found)
        found.influence |= self._clauses(scope) | self._unnested(scope)
        for projection in scope.expression.expressions:
            if isinstance(projection, exp.Star) or (
                isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
            ):
                raise OpaqueShapeError("a star that could not be expanded")
            edges = self._expression(projection, scope) | self._named_windows(projection, scope)
            if _counts_rows(projection):
                edges |= found.row_edges()
            found.outputs.append((projection.alias_or_name.lower(), edges))
        found.influence |= self._distinct(scope, found)
        return found

    def _inherit(self, scope: Scope, found: Found) -> None:
        """Rows and influence of the relations that are read here; `sources` would have every visible CTE."""
        for _, source in scope.selected_sources.values():
            if isinstance(source, exp.Table) and isinstance(source.this, exp.Func):
                found.influence |= indirect(self._of_function(source, scope), JOIN)
            elif isinstance(source, exp.Table):
                found.rows.add(asset_name(source))
            elif id(source.expression) in self._found:
                inner = self._found[id(source.expression)]
                found.influence |= inner.influence
                found.rows |= inner.rows

    def _clauses(self, scope: Scope) -> set[Edge]:
        select, influence = scope.expression, set[Edge]()
        for join in select.args.get("joins") or []:
            if join.args.get("on") is not None:
                influence |= self._influence(join.args["on"], JOIN, scope)
            else:
                influence |= self._crossed(join, scope)
        for clause, kind in (("where", FILTER), ("having", FILTER), ("qualify", FILTER), ("group", GROUP_BY)):
            if select.args.get(clause) is not None:
                influence |= self._influence(select.args[clause], kind, scope)
        if select.args.get("limit") is not None and select.args.get("order") is not None:
            influence |= self._influence(select.args["order"], SORT, scope)
        group = select.args.get("group")
        if group is not None and group.args.get("all"):
            for projection in select.expressions:
                if next(projection.find_all(exp.AggFunc), None) is None:
                    influence |= self._influence(projection, GROUP_BY, scope)
        return influence

    def _crossed(self, join: exp.Join, scope: Scope) -> set[Edge]:
        """A join without condition multiplies the rows by those of the other relation."""
        source = scope.sources.get(join.alias_or_name)
        if isinstance(source, exp.Table):
            function = isinstance(source.this, exp.Func)
            return set() if function else {Edge(asset_name(source), ROWS, INDIRECT, JOIN, keeps=False)}
        inner = self._found.get(id(source.expression)) if isinstance(source, Scope) else None
        return indirect(inner.row_edges(), JOIN) if inner is not None else set()

    def _unnested(self, scope: Scope) -> set[Edge]:
        """An unnest among the projections multiplies the rows."""
        influence: set[Edge] = set()
        for projection in scope.expression.expressions:
            for exploding in projection.find_all(*_EXPLODING):
                influence |= self._influence(exploding, JOIN, scope)
        return influence

    def _named_windows(self, projection: exp.Expression, scope: Scope) -> set[Edge]:
        """`over w`: the definition lives on the select."""
        edges: set[Edge] = set()
        for window in projection.find_all(exp.Window):
            reference = window.args.get("alias")
            for named in scope.expression.args.get("windows") or [] if reference is not None else []:
                if named.name.lower() == reference.name.lower():
                    edges |= self._influence(named, WINDOW, scope)
        return edges

    def _distinct(self, scope: Scope, found: Found) -> set[Edge]:
        select = scope.expression
        distinct = select.args.get("distinct")
        if distinct is None:
            return set()
        if distinct.args.get("on") is None:
            return indirect(found.all_edges(), FILTER)
        influence = self._influence(distinct.args["on"], FILTER, scope)
        if select.args.get("order") is not None:
            influence |= self._influence(select.args["order"], SORT, scope)
        return influence

    def _influence(self, expression: exp.Expression, kind: str, scope: Scope) -> set[Edge]:
        return indirect(self._expression(expression, scope), kind)

    def _expression(self, root: exp.Expression, scope: Scope) -> set[Edge]:
        """Sources of the value of one expression."""
        bare = root.this if isinstance(root, exp.Alias) else root
        if isinstance(bare, exp.Column) and not isinstance(bare.this, exp.Star):
            return set(self._resolve(bare, scope))
        edges, inner = self._subqueries(root)
        for column in root.find_all(exp.Column, exp.TableColumn):
            if isinstance(column.this, exp.Star) or _is_inside(column, root, inner):
                continue
            step = classify(column, root)
            edges |= {compose(edge, step) for edge in self._resolve(column, scope)}
        return edges

    def _subqueries(self, root: exp.Expression) -> tuple[set[Edge], set[int]]:
        """Sources through the subqueries of an expression, and the ids of those subqueries."""
        edges, inner = set[Edge](), set[int]()
        for holder in root.find_all(exp.Subquery, exp.Exists, exp.In):
            query = unwrap(holder.args.get("query") if isinstance(holder, exp.In) else holder.this)
            if not isinstance(query, exp.Query):
                continue
            found = self._of(query)
            inner.add(id(query))
            step = classify(holder, root) if isinstance(holder, exp.Subquery) else Step(INDIRECT, SUBQUERY,
                keeps=False)
            edges |= {compose(compose(edge, COMPUTED), step) for edge in found.all_edges()}
            edges |= indirect(found.influence or found.row_edges(), SUBQUERY)
        return edges, inner

    def _resolve(self, column: exp.Column | exp.TableColumn, scope: Scope) -> set[Edge]:
        name = column.name.lower()
        alias = column.name if isinstance(column, exp.TableColumn) else column.table
        if not alias:
            return self._resolve_bare(name, scope)
        at: Scope | None = scope
        while at is not None and alias not in at.sources:
            at = at.parent
        if at is None:
            raise UnknownColumnError(f"{column.sql()} has no relation")
        source = at.sources[alias]
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Func):
            return self._of_function(source, at)
        if isinstance(source, exp.Table):
            return self._of_table(source, name, whole_row=isinstance(column, exp.TableColumn) or column.name == alias)
        return self._of_scope(source, alias, name, whole_row=isinstance(column, exp.TableColumn) or column.name == alias)

    def _resolve_bare(self, name: str, scope: Scope) -> set[Edge]:
        """A name without relation: `distinct on` and `order by` keys, which qualifying leaves alone."""
        for projection in getattr(scope.expression, "expressions", []):
            if projection.alias_or_name.lower() == name:
                return self._expression(projection, scope)
        holders = []
        for alias, source in scope.sources.items():
            columns = (
                self._columns_of(asset_name(source)) if isinstance(source, exp.Table)
                else self._of(source.expression).columns)
            if name in columns:
                holders.append(alias)
        if len(holders) != 1:
            raise UnknownColumnError(f"{name} has no relation")
        return self._resolve(exp.column(name, table=holders[0]), scope)

    def _of_table(self, table: exp.Table, name: str, whole_row: bool) -> set[Edge]:
        asset = asset_name(table)
        columns = tuple(self._columns_of(asset))
        if name in columns:
            return {Edge(asset, name)}
        if whole_row and columns:
            return {Edge(asset, column, subtype=TRANSFORMATION) for column in columns}
        raise UnknownColumnError(f"{asset}.{name} is not in the schema")

    def _of_function(self, table: exp.Table, scope: Scope) -> set[Edge]:
        """Whatever a table function gives comes from its arguments."""
        edges: set[Edge] = set()
        for column in table.this.find_all(exp.Column):
            edges |= {compose(edge, COMPUTED) for edge in self._resolve(column, scope)}
        return edges

    def _of_scope(self, source: Scope, alias: str, name: str, whole_row: bool) -> set[Edge]:
        found = self._of(source.expression)
        if name in found.columns:
            return found.columns[name]
        if ANY in found.columns:
            return found.columns[ANY]
        if whole_row:
            return {compose(edge, COMPUTED) for edge in found.all_edges()}
        raise UnknownColumnError(f"{alias}.{name} has no producer")


def _counts_rows(projection: exp.Expression) -> bool:
    """Does the value come from the rows alone, as `count(*)` and `row_number()` do?"""
    counting = (exp.AggFunc, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.PercentRank, exp.CumeDist)
    return any(
        (node.parent if isinstance(node.parent, exp.Window) else node).find(exp.Column) is None
        and node.find_ancestor(exp.Query) is projection.find_ancestor(exp.Query)
        for node in projection.find_all(*counting))


def _is_inside(column: exp.Expression, root: exp.Expression, queries: set[int]) -> bool:
    parent = column.parent
    while parent is not None and parent is not root:
        if id(parent) in queries:
            return True
        parent = parent.parent
    return False
