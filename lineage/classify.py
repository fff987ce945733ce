"""What an expression does to a column that it mentions: the step from the column to the value of the expression."""

from __future__ import annotations

from sqlglot import exp

from lineage.edges import (
    AGGREGATION,
    CAST,
    CONDITIONAL,
    FILTER,
    IDENTITY,
    INDIRECT,
    RANK,
    SORT,
    TRANSFORMATION,
    WINDOW,
    Step,
)
from lineage.json_path import element, extracted

_HASHES = (exp.MD5, exp.SHA, exp.SHA2)
_HASH_NAMES = {"sha256", "sha1", "md5", "hmac"}

_SELECTING = (
    exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Lag,
    exp.Lead,
    exp.ArgMax, exp.ArgMin, exp.ArrayAgg, exp.ArrayConcatAgg, exp.GroupConcat, exp.Mode,
)
"""Aggregates that give back one or more of the values they were given."""

_COMPARING = (exp.Predicate, exp.Not, exp.Connector)


def classify(column: exp.Expression, root: exp.Expression) -> Step:
    """The step from `column` to the value of the projection `root` that holds it."""
    subtype, influence, masking, keeps, path = IDENTITY, "", False, True, ""
    child = column
    while child is not root and child.parent is not None:
        node = child.parent
        influence = _influence(child, node) or influence
        subtype = max(subtype, _strength(child, node), key=RANK.__getitem__)
        masking = masking or _is_hash(node)
        keeps = keeps and _keeps(node)
        path += _json_path(child, node)
        child = node
    if influence:
        return Step(INDIRECT, influence, masking, False, path)
    return Step(subtype=subtype, masking=masking, keeps=keeps, path=path)


def _influence(child: exp.Expression, node: exp.Expression) -> str:
    """How the node makes its child decide rather than contribute; empty where it contributes."""
    if isinstance(node, exp.Window) and child is not node.this:
        return WINDOW
    if isinstance(node, exp.Filter) and child is not node.this:
        return FILTER
    if isinstance(node, (exp.If, exp.Case)) and child is node.this:
        return CONDITIONAL
    if isinstance(node, exp.Ordered) or (isinstance(node, exp.Order) and child is not node.this):
        return SORT
    return ""


def _strength(child: exp.Expression, node: exp.Expression) -> str:
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return CAST
    if isinstance(node, (exp.Alias, exp.Paren, exp.Order)):
        return IDENTITY
    if isinstance(node, exp.Window):
        return AGGREGATION if isinstance(child, exp.AggFunc) and not isinstance(child, _SELECTING) else TRANSFORMATION
    if isinstance(node, exp.AggFunc) and not isinstance(node.parent, (exp.Window, exp.IgnoreNulls)):
        return AGGREGATION
    return TRANSFORMATION


def _is_hash(node: exp.Expression) -> bool:
    return isinstance(node, _HASHES) or (isinstance(node, exp.Anonymous) and node.name.lower() in _HASH_NAMES)


def _keeps(node: exp.Expression) -> bool:
    if isinstance(node, exp.AggFunc):
        return isinstance(node, _SELECTING)
    return not isinstance(node, _COMPARING)


def _json_path(child: exp.Expression, node: exp.Expression) -> str:
    """What the node takes out of the document or list below it, in the notation of `lineage.json_path`."""
    if child is not node.this:
        return ""
    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)):
        return extracted(node.expression)
    return element(node) if isinstance(node, exp.Bracket) else ""
