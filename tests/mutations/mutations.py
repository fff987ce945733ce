"""The list of planted faults."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from tests.conftest import PROJECT

LIST = PROJECT / "tests" / "mutations" / "mutations.yaml"


@dataclass(frozen=True)
class Mutation:
    """A text of a file put in another's place, and the tests (of one pytest run) of which one must fail then."""

    number: int
    line: int
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def plant(self, tree: Path) -> None:
        """Change the file below `tree`."""
        (tree / self.file).write_text(self._original(tree).replace(self.old, self.new))

    def occurrences(self, tree: Path) -> int:
        """How often the text to be replaced stands in the file; 1 in a list that is up to date."""
        return self._original(tree).count(self.old)

    @cached_property
    def name(self) -> str:
        """What messages call it: its number, its place in the list, the file that it changes."""
        return f"{self.number} (mutations.yaml:{self.line}) {self.file}"

    def _original(self, tree: Path) -> str:
        return (tree / self.file).read_text()


def mutations() -> list[Mutation]:
    """All of them, in the order of the list."""
    text = LIST.read_text()
    nodes = yaml.compose(text, yaml.SafeLoader).value
    return [
        Mutation(number, node.start_mark.line + 1, one["file"], one["old"], one["new"], tuple(one["tests"]))
        for number, (node, one) in enumerate(zip(nodes, yaml.safe_load(text), strict=True), 1)
    ]
