"""The dbt project as lineage needs it: models in dependency order with their compiled SQL, seeds, sources.

Read from dbt's own `manifest.json` after `dbt compile`. Compiling for lineage runs with a neutral run id, so that the
same code gives the same text, and the text's hash is the model's code version.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from transforms.errors import ConfigurationError


@dataclass(frozen=True)
class ModelNode:
    """One dbt model. Assets are named `schema.table` in lower case."""

    asset: str
    layer: str
    description: str
    owner: str
    sql: str
    reads: tuple[str, ...]
    """Assets that the model refers to, as dbt knows them."""
    described: Mapping[str, str]
    """Column -> description, where the project's YAML has one."""

    @property
    def code_version(self) -> str:
        """The first 12 hex digits of the SHA-256 of the compiled SQL."""
        return sha256(self.sql.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Manifest:
    """What the project consists of."""

    models: tuple[ModelNode, ...]
    """In dependency order."""
    seeds: Mapping[str, Mapping[str, str]]
    """Seed asset -> column -> type."""
    sources: tuple[str, ...]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises ConfigurationError where it is missing or a model in it has no compiled SQL."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError) as fault:
        raise ConfigurationError(f"{path}: no dbt manifest. Remedy: compile the dbt project.") from fault
    return parse_manifest(content)


def parse_manifest(content: Mapping[str, Any]) -> Manifest:
    """The manifest from its JSON form."""
    nodes = content["nodes"]
    named = {key: _asset(node) for key, node in {**nodes, **content["sources"]}.items()}
    models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    missing = sorted(named[key] for key, node in models.items() if not node.get("compiled_code"))
    if missing:
        raise ConfigurationError(f"the manifest has no compiled SQL for {missing[0]}. Remedy: compile the dbt project.")
    return Manifest(
        tuple(_model(models[key], named) for key in _ordered(models)),
        {named[key]: _seed_columns(node) for key, node in nodes.items() if node["resource_type"] == "seed"},
        tuple(sorted(named[key] for key in content["sources"])))


def _asset(node: Mapping[str, Any]) -> str:
    name = node.get("alias") or node.get("identifier") or node["name"]
    return f"{node['schema']}.{name}".lower()


def _model(node: Mapping[str, Any], named: Mapping[str, str]) -> ModelNode:
    meta = {**node.get("meta", {}), **node.get("config", {}).get("meta", {})}
    return ModelNode(
        asset=_asset(node), layer=str(node["schema"]).lower(), description=str(node.get("description") or ""),
        owner=str(meta.get("owner", "")), sql=str(node["compiled_code"]).strip(),
        reads=tuple(sorted(named[key] for key in node["depends_on"]["nodes"] if key in named)),
        described={
            name.lower(): str(column["description"])
            for name, column in node.get("columns", {}).items() if column.get("description")
        })


def _ordered(models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Keys of the models, each after those that it reads; dbt has refused cycles."""
    order: dict[str, None] = {}
    stack = [(key, False) for key in sorted(models, reverse=True)]
    while stack:
        key, read_all = stack.pop()
        if key in order:
            continue
        if read_all:
            order[key] = None
            continue
        stack.append((key, True))
        stack.extend((other,
            False) for other in models[key]["depends_on"]["nodes"] if other in models and other not in order)
    return list(order)


def _seed_columns(node: Mapping[str, Any]) -> dict[str, str]:
    """Columns of a seed: the header of its file, with the types that the project gives."""
    types = {name.lower(): str(kind) for name, kind in (node["config"].get("column_types") or {}).items()}
    path = Path(node["root_path"]) / node["original_file_path"] if node.get("root_path") else None
    if path is None or not path.exists():
        return types
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    return {name.strip().lower(): types.get(name.strip().lower(), "varchar") for name in header}
