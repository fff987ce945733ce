"""Methods of dbt's data classes, made when they are first called.

dbt's some two hundred classes ask mashumaro for methods that read and write them, four each, "compiled lazily"; but of each method
mashumaro still writes and compiles the stub that will do so: 0.5 s of CPU in every process that imports dbt, which calls few of them.
Here one stub serves all classes. It does what mashumaro's does: it has the real methods built, and calls what it was called for.

To be used around the import of dbt, before which nothing here imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import mashumaro.mixins.dict as mixin
from mashumaro.core.meta.code.builder import CodeBuilder, InternalMethodName

Compile = Callable[..., None]
# What a class that is being defined calls, once for each format.
UNPACKER, PACKER = "compile_mixin_unpacker", "compile_mixin_packer"


@contextmanager
def late_methods() -> Iterator[None]:
    """Give classes that are defined inside, and ask for lazy compilation, stubs without compiling them."""
    names = vars(mixin)
    before = {name: names[name] for name in (UNPACKER, PACKER)}
    names.update({UNPACKER: _stubs(before[UNPACKER], "from", _unpacking), PACKER: _stubs(before[PACKER], "to", _packing)})
    try:
        yield
    finally:
        names.update(before)


def _stubs(compile_now: Compile, direction: str, stub: Callable[[InternalMethodName, dict[str, Any]], Any]) -> Compile:
    def add(cls: Any, format_name: str = "dict", dialect: Any = None, **how: Any) -> None:
        if not getattr(getattr(cls, "Config", None), "lazy_compilation", False):
            compile_now(cls, format_name=format_name, dialect=dialect, **how)
            return
        name = InternalMethodName.from_public(f"{direction}_{format_name}")
        method = stub(name, {"format_name": format_name, "default_dialect": dialect, **how})
        setattr(cls, name, method)
        setattr(cls, name.public, method)

    return add


def _unpacking(name: InternalMethodName, how: dict[str, Any]) -> Any:
    def from_mapping(cls: Any, *arguments: Any, **options: Any) -> Any:
        CodeBuilder(cls, first_method=name, allow_postponed_evaluation=False, **how).add_unpack_method()
        return getattr(cls, name)(*arguments, **options)

    return classmethod(from_mapping)


def _packing(name: InternalMethodName, how: dict[str, Any]) -> Any:
    def to_mapping(self: Any, *arguments: Any, **options: Any) -> Any:
        CodeBuilder(type(self), first_method=name, allow_postponed_evaluation=False, **how).add_pack_method()
        return getattr(self, name)(*arguments, **options)

    return to_mapping
