"""YAML values that know their line, so that an error can name it.

Belongs here: reading scalars, lists and mappings of a YAML document with checks that raise ConfigurationError
`file:line: what is wrong. Remedy: what to write instead`, with keys and never a value: a file that was named by mistake
may hold anything. Does not belong here: what the keys mean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, NoReturn

import yaml

from transforms.errors import ConfigurationError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


class Located:
    """A YAML node with the name of the file it stands in and the path of keys that lead to it."""

    def __init__(self, node: yaml.Node, name: str, path: str = "") -> None:
        self._node = node
        self._name = name
        self.path = path

    def fail(self, problem: str, remedy: str) -> NoReturn:
        """Raise a ConfigurationError at this node's line."""
        line = self._node.start_mark.line + 1
        raise ConfigurationError(f"{self._name}:{line}: {problem}. Remedy: {remedy}")

    @property
    def is_null(self) -> bool:
        """Is the value null or left out."""
        return isinstance(self._node, yaml.ScalarNode) and self._node.tag == "tag:yaml.org,2002:null"

    @property
    def is_list(self) -> bool:
        """Is the value a list."""
        return isinstance(self._node, yaml.SequenceNode)

    def value(self) -> Any:
        """Plain value: text, number, date, list or mapping, as YAML's own types say."""
        try:
            return yaml.constructor.SafeConstructor().construct_object(self._node, deep=True)
        except (yaml.YAMLError, ValueError, TypeError):
            self.fail(f"{self.path} is no plain value", "texts, numbers, dates, lists and mappings alone")

    def text(self) -> str:
        """Scalar as written. A date, number or boolean counts as its text, null is refused."""
        if not isinstance(self._node, yaml.ScalarNode) or self.is_null:
            self.fail(f"{self.path} is not a text", f"a single value after '{self._last_key()}:'")
        return str(self._node.value)

    def one_of(self, allowed: Collection[str]) -> str:
        """Scalar out of a closed list."""
        value = self.text()
        if value not in allowed:
            self.fail(f"unknown {self._last_key()}", "one of " + ", ".join(sorted(allowed)))
        return value

    def flag(self) -> bool:
        """`true` or `false`."""
        return self.one_of({"true", "false"}) == "true"

    def integer(self, least: int = 0) -> int:
        """Whole number, at least `least`."""
        value = self.text()
        if not value.isdecimal() or int(value) < least:
            self.fail(f"{self.path} is not a whole number from {least}", f"a number such as {max(least, 1)}")
        return int(value)

    def day(self) -> date:
        """ISO date."""
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            self.fail(f"{self.path} is not a date", "YYYY-MM-DD")

    def items(self) -> list[Located]:
        """Elements of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.fail(f"{self.path} is not a list", f"'{self._last_key()}: [...]'")
        return [Located(node, self._name, f"{self.path}[{i}]") for i, node in enumerate(self._node.value)]

    def texts(self) -> tuple[str, ...]:
        """List of texts."""
        return tuple(item.text() for item in self.items())

    def mapping(self, allowed: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, Located]:
        """Keys and values, keys without value left out; repeated keys, keys outside `allowed` and missing required ones
        are refused."""
        found = self.whole_mapping(allowed, required)
        return {key: value for key, value in found.items() if not value.is_null}

    def whole_mapping(self, allowed: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, Located]:
        """Like `mapping`, with the keys that have no value."""
        if not isinstance(self._node, yaml.MappingNode):
            self.fail(f"{self.path or 'the document'} is not a mapping", "'key: value' lines")
        known = None if allowed is None else set(allowed) | set(required)
        found: dict[str, Located] = {}
        for key_node, value_node in self._node.value:
            key_place = Located(key_node, self._name, self.path)
            key = key_place.text()
            if known is not None and key not in known:
                remedy = "one of " + ", ".join(sorted(known))
                key_place.fail(f"unknown key {_shown(key)} in {self.path or 'the document'}", remedy)
            if key in found:
                key_place.fail(f"key {_shown(key)} occurs twice in {self.path or 'the document'}", "remove one of them")
            found[key] = Located(value_node, self._name, f"{self.path}.{key}" if self.path else key)
        for key in required:
            if key not in found or found[key].is_null:
                self.fail(f"{self.path or 'the document'} has no {key!r}", f"add '{key}:'")
        return found

    def _last_key(self) -> str:
        return self.path.rpartition(".")[2] or "value"


def _shown(key: str) -> str:
    """Give a key as messages show it: one that is no plain word is not repeated."""
    return repr(key) if _PLAIN.fullmatch(key) else "that is no plain word"


def read_yaml(text: str, name: str) -> Located:
    """Root of a YAML document; ConfigurationError where it is none."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line + 1) if error.problem_mark else 1
        raise ConfigurationError(f"{name}:{line}: not YAML. Remedy: check indentation and quotes") from None
    except yaml.YAMLError:
        raise ConfigurationError(f"{name}: not YAML: a character that no text holds. Remedy: name a text file") from None
    if node is None:
        raise ConfigurationError(f"{name}:1: the document is empty. Remedy: at least registry_version and facilities")
    return Located(node, name)
