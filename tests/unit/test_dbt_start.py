"""What a process spares when dbt starts in it: methods of data classes and compiled templates."""

# no `from __future__ import annotations`: mashumaro must find the types of classes that a function defines

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbt_common.clients import jinja
from dbt_common.dataclass_schema import dbtClassMixin
from jinja2.sandbox import SandboxedEnvironment

from assets.stores.dbt_methods import late_methods
from assets.stores.dbt_templates import keep_templates

MACRO = "{% macro twice(word) %}{{ word }}{{ word }}{% endmacro %}"


def classes() -> tuple[Any, Any]:
    """A class of dbt's kind and one that inherits from it and holds it."""
    @dataclass
    class Column(dbtClassMixin):
        name: str
        words: list[str] = field(default_factory=list)

    @dataclass
    class Table(Column):
        columns: dict[str, Column] = field(default_factory=dict)
        rows: int | None = None

    return Column, Table


def rendered(text: str, native: bool = False) -> Any:
    """Render a text as dbt does."""
    return jinja.render_template(jinja.get_template(text, {}, native=native), {})


def test_late_methods_read_and_write_what_dbts_own_do() -> None:
    """A class with late methods, its heir and what it holds are written and read, as mappings and as msgpack, like one without."""
    with late_methods():
        late = classes()
    written = []
    for column, table in (late, classes()):
        # the heir first, and with options: its base has no methods of its own then
        bare = table("unit").to_dict(omit_none=True)
        made = table("patient", ["a"], {"id": column("id", ["b", "c"])}, 3)
        assert table.from_dict(made.to_dict()) == made == table.from_msgpack(made.to_msgpack())
        assert column.from_dict({"name": "id"}) == column("id")
        written.append((made.to_dict(), made.to_dict(omit_none=True), made.to_msgpack(), bare))
    assert written[0] == written[1]


def test_late_methods_end_with_their_block() -> None:
    """Outside the block mashumaro makes methods as ever: what comes later is not touched."""
    with late_methods():
        late, _ = classes()
    ordinary, _ = classes()
    assert late.from_dict.__code__.co_filename.endswith("dbt_methods.py")
    assert not ordinary.from_dict.__code__.co_filename.endswith("dbt_methods.py")


def test_a_template_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that was compiled is not compiled again, one that differs is, and each kind of environment has its own code."""
    compiled = []
    original = SandboxedEnvironment.compile
    monkeypatch.setattr(SandboxedEnvironment, "compile", lambda self, source, *more, **how: (compiled.append(source),
                                                                                            original(self, source, *more, **how))[1])
    monkeypatch.setattr(jinja.MacroFuzzEnvironment, "compile", jinja.MacroFuzzEnvironment.compile)
    keep_templates(tmp_path)
    for _ in range(2):
        module = jinja.get_template(MACRO, {}).make_module(vars={})
        assert module.dbt_macro__twice("ab") == "abab"
        assert rendered("{{ (1 + 1) | as_native }}", native=True) == 2
        assert rendered("{{ (1 + 1) | as_native }} ") == "2 "
        assert rendered("{{ (1 + 1) | as_native }}") == "2"
    assert compiled == [MACRO, "{{ (1 + 1) | as_native }}", "{{ (1 + 1) | as_native }} ", "{{ (1 + 1) | as_native }}"]


def test_code_is_kept_for_the_next_process(tmp_path: Path) -> None:
    """Another process renders a text with the code that the first one left, and compiles nothing."""
    code = (f"from assets.stores.dbt_templates import keep_templates, SandboxedEnvironment, Path\nfrom dbt_common.clients import jinja\n"
            f"keep_templates(Path({str(tmp_path)!r}))\n"
            "ask = SandboxedEnvironment.compile\nasked = []\n"
            "SandboxedEnvironment.compile = lambda self, source: (asked.append(source), ask(self, source))[1]\n"
            "print(jinja.get_template('{{ 6 * 7 }}', {}).render({}), len(asked))")
    said = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split() for _ in range(2)]
    assert said == [["42", "1"], ["42", "0"]]
