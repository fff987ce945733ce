"""Where in a JSON document a value is taken from, followed through a query as a text.

`/name/0/family` is a path as in a JSON Pointer, `*` stands for every element. An extraction of several paths at once
gives a list: `{/id|/name/0/family}`; an element taken from it, `[1]` (from 0), picks one of them. An element of any
other list says nothing of the path and falls away.
"""

from __future__ import annotations

import re

from sqlglot import exp, jsonpath
from sqlglot.errors import SqlglotError

_PICKED = re.compile(r"\{([^{}]*)\}\[(\d+)\]")
_ELEMENT = re.compile(r"\[\d+\]")


def extracted(path: exp.Expression) -> str:
    """The text of what a JSON extraction takes; empty where the path is not fixed."""
    if isinstance(path, exp.JSONPath):
        return _pointer(path)
    if isinstance(path, exp.Array) and all(isinstance(item, exp.Literal) for item in path.expressions):
        try:
            return "{" + "|".join(_pointer(jsonpath.parse(item.name)) for item in path.expressions) + "}"
        except SqlglotError:
            return ""
    return ""


def element(node: exp.Bracket) -> str:
    """The text of an element taken from a list at a fixed place; empty where the place is not fixed."""
    index = node.expressions[0] if len(node.expressions) == 1 else None
    if not isinstance(index, exp.Literal) or not index.is_int:
        return ""
    return f"[{int(index.name)}]"


def joined(path: str, more: str) -> str:
    """A path from the column on, with one more step."""
    if not more:
        return path
    picked = _PICKED.sub(lambda found: _pick(found[1].split("|"), int(found[2])), path + more)
    return _ELEMENT.sub("", picked)


def settled(path: str) -> str:
    """A path as it is stored: several at once, of which none was picked, are their common place."""
    return path.split("{", 1)[0]


def _pick(paths: list[str], place: int) -> str:
    return paths[place] if place < len(paths) else ""


def _pointer(path: exp.JSONPath) -> str:
    return "".join(_step(part) for part in path.expressions)


def _step(part: exp.Expression) -> str:
    if isinstance(part, (exp.JSONPathKey, exp.JSONPathSubscript)):
        return f"/{part.this}" if isinstance(part.this, (str, int)) else "/*"
    return "/*" if isinstance(part, exp.JSONPathWildcard) else ""
