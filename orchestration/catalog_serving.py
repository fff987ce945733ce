"""The audit catalog over a data root: its store, its anchors, its key, and traces and reviews through its warehouse."""

from __future__ import annotations

from starlette.applications import Starlette

from assets.root import Root
from assets.stores.signing_key import public_key
from orchestration.catalog.app import LOCAL_HOSTS, create_app
from orchestration.catalog.reviewing import warehouse_reviewer
from orchestration.catalog.tracing import warehouse_tracer
from orchestration.settings import Settings


def catalog_app(root: Root, settings: Settings, host: str = "127.0.0.1") -> Starlette:
    """Build the catalog of a root; the store is made where it is missing, so that empty pages can teach."""
    with root.catalog():
        pass
    folder = root.home / "catalog"
    public = public_key(root.home / "keys" / "audit.pem.pub")
    return create_app(
        folder / "audit.sqlite", folder / "anchors.jsonl", [public], warehouse_tracer(root), warehouse_reviewer(root, settings),
        [*LOCAL_HOSTS, host],
    )
