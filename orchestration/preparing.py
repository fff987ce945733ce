"""Prepares a data root: parsed models, Dagster's instance, and what the catalog says of code and facilities.

Everything here is done once for a version of the code or the registry and is a matter of milliseconds afterwards.
"""

from __future__ import annotations

import hashlib

from assets.root import Root
from assets.stores.control import CONTROL_TABLES
from assets.stores.dbt_runner import project_digest
from orchestration.instance import dagster_home
from orchestration.opening import dbt_runner, open_root
from orchestration.settings import Settings


def prepare_root(settings: Settings) -> Root:
    """Open the settings' data root, ready to run. Raises ConfigurationError on a wrong registry, key or dbt project."""
    dbt_runner(settings).prepare()
    root = open_root(settings)
    dagster_home(root.home)
    _tell_catalog(root, settings)
    return root


def _tell_catalog(root: Root, settings: Settings) -> None:
    """Write column lineage and facilities to the catalog where code or registry changed."""
    mark = root.home / "catalog" / "told.sha256"
    digest = hashlib.sha256((project_digest() + root.registry_text).encode()).hexdigest()
    compiled = dbt_runner(settings, "local").compiled_manifest_path
    if (mark.exists() and mark.read_text() == digest) or not compiled.exists():
        return
    # Reading lineage takes 0.2 s to import, and most commands need not tell anything.
    from orchestration.catalog.projecting import asset_notes, project_code, project_facilities, project_graph

    graph = project_graph(compiled, {f"control.{name}": columns for name, columns in CONTROL_TABLES.items()},
                          cache_path=compiled.parent / "lineage.json")
    with root.catalog() as catalog:
        project_code(catalog, root.home / "catalog" / "audit.sqlite", graph, asset_notes(compiled.read_text()))
        project_facilities(catalog, root.registry)
    mark.write_text(digest)
