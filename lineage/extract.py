"""Column lineage of one query: parse, qualify, walk.

`optimize` is never used (it rewrites conditions and drops unused columns), nor sqlglot's own `lineage` (it knows
projections only, and one column a call).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from lineage.edges import DIRECT, OPAQUE, Edge, ModelLineage, merged
from lineage.scope_walk import ANY, OpaqueShapeError, ScopeWalk, UnknownColumnError, asset_name
from transforms.errors import ContractError

DATABASE = "LAKE"
_NOT_UNDERSTOOD = (exp.Pivot, exp.Columns, exp.MatchRecognize)


class Schemas:
    """Columns of relations by `schema.table`, in the two forms that qualifying and walking want."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]], dialect: str) -> None:
        """`tables`: `schema.table` -> column -> SQL type."""
        self.dialect = dialect
        self._columns: dict[str, dict[str, str]] = {}
        self._mapping = MappingSchema(dialect=dialect)
        for asset, columns in tables.items():
            self.add(asset, columns)

    def add(self, asset: str, columns: Mapping[str, str]) -> None:
        """Add a relation, or give it other columns."""
        self._columns[asset] = dict(columns)
        table = exp.Table(
            this=exp.to_identifier(asset.split(".")[-1]),
            db=exp.to_identifier(asset.split(".")[0]) if "." in asset else None,
            catalog=exp.to_identifier(DATABASE) if "." in asset else None)
        self._mapping.add_table(table, dict(columns), dialect=self.dialect, match_depth=False)

    def columns(self, asset: str) -> tuple[str, ...]:
        """Columns of a relation; empty where it is not known."""
        return tuple(self._columns.get(asset, ()))

    def types(self, asset: str) -> dict[str, str]:
        """Columns of a relation with their types."""
        return dict(self._columns.get(asset, {}))

    @property
    def assets(self) -> tuple[str, ...]:
        """The relations whose columns are known."""
        return tuple(self._columns)

    @property
    def mapping(self) -> MappingSchema:
        """The form that sqlglot takes."""
        return self._mapping


def relations_read(tree: exp.Expression) -> set[str]:
    """`schema.table` of the relations that a query reads, CTEs not among them."""
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = (table for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier))
    return {asset_name(table) for table in tables if table.db or table.name not in names}


def extract(sql: str, schemas: Schemas) -> ModelLineage:
    """Lineage of one query. A shape that is not understood gives an opaque result that names every column read.

    Raises ContractError where the text is no query, a relation is not in `schemas`, or a column is not in its
    relation.
    """
    try:
        tree = sqlglot.parse_one(sql, read=schemas.dialect)
    except SqlglotError as fault:
        raise ContractError(f"the SQL does not parse{_place(fault)}") from fault
    if isinstance(tree, (exp.Create, exp.Insert)):
        tree = tree.expression
    reads = relations_read(tree)
    unknown = sorted(asset for asset in reads if not schemas.columns(asset))
    if unknown:
        raise ContractError(f"the columns of {', '.join(unknown)} are not declared")
    shape = tree.find(*_NOT_UNDERSTOOD)
    if shape is not None:
        return _opaque(tree, reads, schemas, type(shape).__name__)
    try:
        qualified = qualify(
            tree, schema=schemas.mapping, dialect=schemas.dialect, validate_qualify_columns=True,
            quote_identifiers=False,
            identify=False)
        found = ScopeWalk(schemas.columns).run(qualified)
    except UnknownColumnError as fault:
        raise ContractError(str(fault)) from fault
    except OpaqueShapeError as fault:
        return _opaque(tree, reads, schemas, str(fault))
    except SqlglotError as fault:
        raise ContractError(f"a column cannot be resolved: {_first_line(fault)}") from fault
    expressions = {
        projection.alias_or_name.lower(): projection.unalias().sql(dialect=schemas.dialect)
        for projection in getattr(_last_select(qualified), "expressions", ())
    }
    columns = {name: merged(edges) for name, edges in found.columns.items()}
    return ModelLineage(columns, merged(found.influence), expressions, reads)


def _last_select(tree: exp.Expression) -> exp.Expression:
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    return tree


def _opaque(tree: exp.Expression, reads: Iterable[str], schemas: Schemas, reason: str) -> ModelLineage:
    sources = {Edge(asset, column, DIRECT, OPAQUE) for asset in reads for column in schemas.columns(asset)}
    known = isinstance(tree, exp.Query) and not tree.is_star and tree.find(*_NOT_UNDERSTOOD) is None
    names = tree.named_selects if known else [ANY]
    return ModelLineage({name: set(sources) for name in names}, set(), {}, set(reads), reason)


def _place(fault: SqlglotError) -> str:
    errors = getattr(fault, "errors", None)
    return f" at line {errors[0]['line']} of the compiled text" if errors else ""


def _first_line(fault: Exception) -> str:
    return str(fault).split("\n", 1)[0][:200]
