"""Documents are true: every command, option, setting and make target that they name exists, and every one that exists is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import typer

from orchestration.cli.main import app
from orchestration.settings import Settings
from tests.conftest import PROJECT

DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
# Set by the product for dbt, or read by tests: nobody sets them by hand.
INNER = re.compile(r"LAKEHOUSE_(RUN_|DEV_COPY|DBT_TARGET|SPILL|CODE_VERSION|WAREHOUSE\b|WAREHOUSE_KEY|DUCKDB_|DOUBLE|CORPORA_DIR|CASES_DIR|FUZZ_|BRAIDS)")


@cache
def _text() -> str:
    return "\n".join(document.read_text() for document in DOCUMENTS)


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def _known() -> dict[tuple[str, ...], Any]:
    return dict(_commands(typer.main.get_command(app)))


def _called() -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Commands as documents write them, in code: `lakehouse a b --option …`."""
    groups = {path[0] for path in _known() if len(path) > 1}
    for code in re.findall(r"`(?:[A-Z_]+=\S+ )*lakehouse ([^`\n]+)`", _text()) + re.findall(r"^(?:[A-Z_]+=\S+ )*lakehouse ([^#\n]+)", _text(), re.M):
        words = code.split()
        path = tuple(words[:2]) if words[0] in groups else (words[0],)
        yield path, [word for word in words if word.startswith("--")]


def test_every_command_is_documented() -> None:
    """Each command of the command line stands in a document, with its subcommand."""
    assert set(_known()) - {path for path, _ in _called()} == set()


def test_documented_commands_exist() -> None:
    """Each command and option that a document calls is one of the command line."""
    known = _known()
    wrong = [" ".join(path) for path, _ in _called() if path not in known]
    wrong += [
        f"{' '.join(path)} {option}" for path, options in _called() if path in known for option in options
        if option not in {name for given in known[path].params for name in (*given.opts, *given.secondary_opts)} | {"--help"}
    ]
    assert wrong == []


def test_settings_and_documents_agree() -> None:
    """Each setting stands in a document under its full name, and each that a document names is a setting."""
    settings = {f"LAKEHOUSE_{name}".upper() for name in Settings.model_fields}
    named = {name for name in re.findall(r"LAKEHOUSE_[A-Z0-9_]*[A-Z]", _text()) if not INNER.match(name)}
    assert settings - named == set()
    assert named - settings == set()


def test_make_targets_exist() -> None:
    """Each `make` command in a document is a target, and each target with a help text is in a document."""
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", _text(), re.M))
    assert named - targets == set()
    assert set(re.findall(r"^([a-z-]+):.*##", makefile, re.M)) - named == set()


def test_every_command_explains_itself() -> None:
    """Each command, option and argument has a help text."""
    bare = [f"{' '.join(path)}" for path, command in _known().items() if not command.help]
    bare += [f"{' '.join(path)} {given.name}" for path, command in _known().items() for given in command.params
             if not getattr(given, "help", None)]
    assert bare == []


def test_every_promise_names_tests_that_exist() -> None:
    """Each row of the promises' tables names at least one test, and each test named is one that pytest would find."""
    rows = [line for line in (PROJECT / "docs" / "promises.md").read_text().splitlines() if re.match(r"\| (?!promise|-)", line)]
    assert len(rows) > 20
    assert [row for row in rows if "::" not in row] == []
    named = {tuple(name.split("::")) for row in rows for name in re.findall(r"`(tests/[^`]+::\w+)`", row)}
    assert {(path, test) for path, test in named if f"def {test}(" not in (PROJECT / path).read_text()} == set()
