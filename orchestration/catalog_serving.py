"""The audit catalog over a data root: pages from its store, traces in its warehouse."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette

from assets.root import Root
from assets.stores.signing_key import public_key
from orchestration.catalog.app import LOCAL_HOSTS, create_app
from orchestration.catalog.tracing import warehouse_tracer


def catalog_app(root: Root, allowed_hosts: Sequence[str] = LOCAL_HOSTS) -> Starlette:
    """Build the pages of a root. The log is verified against the root's anchors and the public key beside its signing key."""
    folder = root.home / "catalog"
    key_file = root.home / "keys" / "audit.pem"
    keys = (public_key(key_file),) if key_file.exists() else ()
    return create_app(folder / "audit.sqlite", folder / "anchors.jsonl", keys, warehouse_tracer(root), allowed_hosts)
