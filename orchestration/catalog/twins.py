"""The twins of a page: `/ledger.csv` and `/ledger.json` are `/ledger` in another form; `/index.csv` is that of the first page."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

FORMS = ("csv", "json")


class Twins:
    """Takes the ending off the path and notes the form that is wanted."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under the page's own path."""
        if scope["type"] == "http":
            path = str(scope["path"])
            stem, _, ending = path.rpartition(".")
            if ending in FORMS and not path.startswith("/static/") and not path.endswith("/proof.json"):
                scope = {**scope, "path": "/" if stem == "/index" else stem}
                scope["state"] = {**scope.get("state", {}), "form": ending}
        await self.app(scope, receive, send)
