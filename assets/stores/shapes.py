"""Which models' tables the present dbt project has built, and so given their shape: columns and types (`macros/shape.sql`).

A table of an earlier project may lack columns. Until the present one has built it, no run leaves it out and each looks at its columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa

from assets.stores.warehouse import Warehouse
from transforms.errors import ConfigurationError

_REFUSED = re.compile(r"shape of ([\w.]+) differs: ([^;]+);")


def shaped_models(warehouse: Warehouse, project: str) -> frozenset[str]:
    """Give the models whose tables a project (its digest) has built."""
    rows = warehouse.query("select model from LAKE.control.shaped_model where project = ?", [project]).to_pylist()
    return frozenset(row["model"] for row in rows)


def note_shaped(warehouse: Warehouse, project: str, models: Iterable[str]) -> None:
    """Note that a project has built models; what other projects built counts no more."""
    names = sorted(models)
    with warehouse.transaction():
        warehouse.execute("delete from LAKE.control.shaped_model where project <> ?", [project])
        warehouse.load("control.shaped_model", pa.table({"model": names, "project": [project] * len(names)}))


def shape_fault(message: str) -> ConfigurationError | None:
    """Give the error of a model whose table has columns that cannot become the model's; None for any other message."""
    found = _REFUSED.search(" ".join(message.split()))
    return ConfigurationError(
        f"{found[1]} was made by an earlier version: {found[2]}. Nothing of it was changed. "
        f"Remedy: lakehouse materialize --anew {found[1]}, which builds it again from what lies below."
    ) if found else None
