"""Answering a request with a page or one of its twins, and with words where something is not there or does not work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from lineage.audit_log import newest_checkpoint, open_catalog
from orchestration.catalog.cells import count
from orchestration.catalog.reading import Reading, reason_words
from orchestration.catalog.rendering import environment, render
from orchestration.catalog.tables import Asked, as_csv, as_json, asked
from orchestration.catalog.view import Crumb, Page
from orchestration.catalog.watching import Watch
from transforms.errors import ContractError, LakehouseError, UnavailableError


class Answering:
    """What all pages share: the store, the watch over the log, the words, the templates."""

    def __init__(self, catalog_path: Path, anchors_path: Path | None, public_keys: Sequence[bytes]) -> None:
        """Nothing is opened yet; each request opens the store for itself."""
        self.catalog_path = catalog_path
        self.watch = Watch(catalog_path, anchors_path, public_keys)
        self.words = reason_words()
        self.templates = environment()

    def answer(self, request: Request, handler: Callable[[Reading, Asked, Request], Page | None]) -> Response:
        """The page that the handler gives, in the form that the address asks for; 404 where it gives none."""
        form = getattr(request.state, "form", "html")
        everything = form != "html" or request.query_params.get("all") == "1"
        try:
            with open_catalog(self.catalog_path) as connection:
                reading = Reading(connection)
                page = handler(reading, asked(request.query_params, everything), request)
                if page is None:
                    raise HTTPException(404)
                if form != "html":
                    return self.twin(page, request.query_params.get("table", ""), form)
                names = {facility.facility_id: facility.name for facility in reading.facilities.values()}
                return self.html(request, page, footer(connection), names=names)
        except UnavailableError as missing:
            return self.html(request, not_yet(str(missing)), "", 503)

    def html(
        self, request: Request, page: Page, foot: str, status_code: int = 200, names: Mapping[str, str] = MappingProxyType({})
    ) -> HTMLResponse:
        """A page as HTML; `names` are the facilities' names by id."""
        return HTMLResponse(render(self.templates, page, request.url.path, dict(request.query_params), foot, names), status_code)

    @staticmethod
    def twin(page: Page, name: str, form: str) -> Response:
        """One table of a page as CSV or JSON."""
        table = page.table(name)
        if table is None:
            raise HTTPException(404)
        if form == "csv":
            return Response(as_csv(table), media_type="text/csv; charset=utf-8",
                            headers={"content-disposition": f'attachment; filename="{table.name}.csv"'})
        return Response(as_json(table), media_type="application/json")

    async def nothing_here(self, request: Request, error: Exception) -> Response:
        """The answer to an address that there is not."""
        page = Page("There is nothing here.", "No page, asset, facility, run or entry has this address.", "pending",
                    [Crumb("Overview", "/"), Crumb("not found")], [])
        return self.html(request, page, "", getattr(error, "status_code", 404))

    async def failed(self, request: Request, error: Exception) -> Response:
        """The answer to a fault of our own; what went wrong stands in the server's log, never on the page."""
        page = Page("This page could not be made.", "The catalog has a fault here; the server's log says where.", "failed",
                    [Crumb("Overview", "/"), Crumb("fault")], [])
        return self.html(request, page, "", 500)


def not_yet(sentence: str) -> Page:
    """What is said before the first run, or while something is busy."""
    return Page("Nothing can be shown yet.", sentence[:1].upper() + sentence[1:], "pending", [Crumb("Overview")], [])


def refused_status(error: LakehouseError) -> int:
    """HTTP status of what a steward asked or said and was refused: 409 where another came first, 503 where something is busy, else 400."""
    return 409 if isinstance(error, ContractError) else 503 if isinstance(error, UnavailableError) else 400


def footer(connection: sqlite3.Connection) -> str:
    """How far the log is signed: stands under every page, on paper too."""
    newest = newest_checkpoint(connection)
    if newest is None:
        return "The log has no signed checkpoint yet."
    size, note, time = newest
    return f"Log signed at {count(size)} entries, {time:%Y-%m-%d %H:%M} UTC, root {note.splitlines()[2]}"
