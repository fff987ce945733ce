"""The audit catalog as a web application: which address asks which question.

It reads the catalog store and never the warehouse; only a trace and a review do, through what they are given. Every page has twins:
the same address with `.csv` or `.json`, and `?table=` where the page has several tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lineage.audit_log import open_catalog
from orchestration.catalog import accounts, asset_pages, column_pages, days, facility_pages, find_page, log_pages, overview, partition_page
from orchestration.catalog.answering import Answering
from orchestration.catalog.reading import Reading
from orchestration.catalog.review_page import review_routes
from orchestration.catalog.reviewing import Reviewer
from orchestration.catalog.security import SecurityHeaders
from orchestration.catalog.tables import Asked
from orchestration.catalog.trace_page import Tracer, trace_route
from orchestration.catalog.twins import Twins
from orchestration.catalog.view import Page

Handler = Callable[[Reading, Asked, Request], Page | None]
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def create_app(
    catalog_path: Path, anchors_path: Path | None = None, public_keys: Sequence[bytes] = (), tracer: Tracer | None = None,
    reviewer: Reviewer | None = None, allowed_hosts: Sequence[str] = LOCAL_HOSTS,
) -> Starlette:
    """Build the application over the store at `catalog_path`.

    `anchors_path` and `public_keys` are what the log is verified against. `tracer` answers traces and records that it did; without it
    the trace page says so. `reviewer` answers the review pages and carries out decisions, by stewards alone. `allowed_hosts` are the names
    under which the pages may be asked for.
    """
    days.register()
    answering = Answering(catalog_path, anchors_path, public_keys)

    def page(path: str, handler: Handler) -> Route:
        def endpoint(request: Request) -> Response:
            return answering.answer(request, handler)
        return Route(path, endpoint)

    def proof(request: Request) -> Response:
        with open_catalog(catalog_path) as connection:
            document = log_pages.proof_document(Reading(connection), int(request.path_params["seq"]))
        if document is None:
            raise HTTPException(404)
        return JSONResponse(document)

    routes = [
        page("/", lambda reading, asked, request: overview.overview_page(reading, asked, answering.watch.verification())),
        page("/ledger", lambda reading, asked, request: accounts.ledger_page(
            reading, asked, _text(request, "facility"), _text(request, "date"))),
        page("/quarantine", lambda reading, asked, request: accounts.quarantine_page(
            reading, asked, answering.words, _text(request, "facility"), _text(request, "date"))),
        page("/holds", lambda reading, asked, request: accounts.holds_page(reading, asked, _text(request, "facility"))),
        page("/corrections", lambda reading, asked, request: accounts.corrections_page(reading, asked, _text(request, "facility"))),
        page("/facility/{facility}", lambda reading, asked, request: facility_pages.facility_page(
            reading, asked, request.path_params["facility"])),
        page("/facility/{facility}/{day:batch_date}", lambda reading, asked, request: facility_pages.day_page(
            reading, asked, answering.words, request.path_params["facility"], request.path_params["day"])),
        page("/assets", lambda reading, asked, request: asset_pages.assets_page(reading, asked, _text(request, "layer"))),
        page("/asset/{asset}", lambda reading, asked, request: asset_pages.asset_page(reading, asked, request.path_params["asset"])),
        page("/asset/{asset}/column/{column}", lambda reading, asked, request: column_pages.column_page(
            reading, asked, request.path_params["asset"], request.path_params["column"])),
        page("/asset/{asset}/{facility}/{day:batch_date}", lambda reading, asked, request: partition_page.partition_page(
            reading, asked, request.path_params["asset"], request.path_params["facility"], request.path_params["day"])),
        page("/log", lambda reading, asked, request: log_pages.log_page(
            reading, asked, answering.watch.verification(), _text(request, "kind"), _text(request, "subject"), _text(request, "run"),
            _number(request, "before"))),
        page("/log/{seq:int}", lambda reading, asked, request: log_pages.entry_page(reading, int(request.path_params["seq"]))),
        Route("/log/{seq:int}/proof.json", proof),
        page("/run/{run}", lambda reading, asked, request: log_pages.run_page(reading, asked, request.path_params["run"])),
        page("/find", lambda reading, asked, request: find_page.find_page(reading, asked, answering.words, _text(request, "q"))),
        trace_route(answering, tracer),
        *review_routes(answering, reviewer),
        Mount("/static", StaticFiles(directory=str(files("orchestration.catalog") / "static"))),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders), Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts)), Middleware(Twins)],
        exception_handlers={404: answering.nothing_here, 405: answering.nothing_here, 500: answering.failed})


def _text(request: Request, name: str) -> str:
    return request.query_params.get(name, "")[:200]


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


