"""The trace page: where does this number come from? The only page that opens the warehouse, and the only one that shows values.

The entry that records the look is in the log before a byte is sent; where it cannot be written, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from lineage.audit_log import open_catalog
from lineage.trace_result import Question, Trace
from orchestration.catalog.answering import Answering, footer, not_yet
from orchestration.catalog.reading import Reading
from orchestration.catalog.security import comes_from_here
from orchestration.catalog.view import Crumb, Page
from transforms.errors import ContractError, LakehouseError, UnavailableError

PURPOSES = ("audit", "correction", "investigation", "data-quality")
MAX_FORM = 20_000


@dataclass(frozen=True)
class Tracer:
    """What answers traces. `record` writes the access to the log and commits; it is called before anything is shown."""

    trace: Callable[[Question], Trace]
    record: Callable[[Question, Trace], None]


def trace_route(answering: Answering, tracer: Tracer | None) -> Route:
    """The form (GET) and its answer (POST)."""

    async def endpoint(request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            return await run_in_threadpool(_form, answering, request, tracer is not None)
        if not comes_from_here(request.headers):
            return _page(answering, request, _STRANGE, 403)
        body = await request.body()
        if len(body) > MAX_FORM:
            return _page(answering, request, _LONG, 413)
        return await run_in_threadpool(_answer, answering, request, tracer, _fields(body))

    return Route("/trace", endpoint, methods=["GET", "POST"])


_CRUMBS = [Crumb("Trace", "/trace")]
_STRANGE = Page("This form was not sent from here.", "Open the trace page and ask again.", "failed", _CRUMBS, [])
_LONG = Page("This question is too long.", "Ask for one row by its key.", "failed", _CRUMBS, [])


def _fields(body: bytes) -> dict[str, str]:
    parsed = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    return {name: values[0].strip() for name, values in parsed.items()}


def read_question(fields: Mapping[str, str]) -> Question:
    """The question that a form holds. Raises ContractError naming what is missing."""
    missing = [label for name, label in (("asset", "asset"), ("key", "key"), ("reader", "your account"), ("purpose", "purpose"))
               if not fields.get(name)]
    if missing:
        raise ContractError(f"The form lacks: {', '.join(missing)}.")
    if fields["purpose"] not in PURPOSES:
        raise ContractError("The purpose is not one of those registered.")
    key = {}
    for line in fields["key"].splitlines():
        name, separator, value = line.partition("=")
        if not separator or not name.strip().isidentifier():
            raise ContractError("The key is written one column a line, as name=value.")
        key[name.strip()] = value.strip()
    return Question(fields["asset"], key, fields.get("column", ""), fields["reader"], fields["purpose"])


def _form(answering: Answering, request: Request, can_trace: bool) -> Response:
    fields = {name: request.query_params.get(name, "") for name in ("asset", "key", "column")}
    return _show(answering, request, fields, None, None if can_trace else "This server has no warehouse to trace in. "
                 "Start it with `lakehouse catalog serve` on the data root.", 200)


def _answer(answering: Answering, request: Request, tracer: Tracer | None, fields: dict[str, str]) -> Response:
    if tracer is None:
        return _form(answering, request, False)
    try:
        question = read_question(fields)
        found = tracer.trace(question)
        tracer.record(question, found)
    except UnavailableError as busy:
        return _show(answering, request, fields, None, f"{busy} The other pages are as they were after the last step.", 503)
    except LakehouseError as refused:
        return _show(answering, request, fields, None, str(refused), 400)
    if getattr(request.state, "form", "html") == "json":
        return JSONResponse(_document(found))
    return _show(answering, request, fields, found, None, 200)


def _show(
    answering: Answering, request: Request, fields: Mapping[str, str], found: Trace | None, fault: str | None, status_code: int
) -> Response:
    try:
        with open_catalog(answering.catalog_path) as connection:
            reading = Reading(connection)
            assets = [row[0] for row in connection.execute(
                "select asset from model where current = 1 and layer in ('marts', 'canonical') order by layer desc, asset")]
            foot, known = footer(connection), reading.facilities
    except UnavailableError as missing:
        return _page(answering, request, not_yet(str(missing)), 503)
    answer = found.answer if found else fault or "Ask for one row by its key; every step down to the bytes is shown."
    status = "passed" if found else "held" if status_code == 503 else "failed" if fault else "open"
    html = answering.templates.get_template("trace.html").render(
        page=Page("Where does this number come from?", answer, status, _CRUMBS, []), path="/trace", footer=foot, fields=fields, found=found,
        assets=assets, purposes=PURPOSES, facilities=known, with_query=lambda **_: "", zone_of=lambda _: "UTC", names={})
    return HTMLResponse(html, status_code)


def _page(answering: Answering, request: Request, page: Page, status_code: int) -> Response:
    return answering.html(request, page, "", status_code)


def _document(found: Trace) -> dict[str, object]:
    return {
        "answer": found.answer, "badge": found.badge,
        "steps": [
            {"layer": step.layer, "asset": step.asset, "key": dict(step.key), "rule": step.rule, "time": step.time,
             "values": {value.name: value.value for value in step.values},
             "bytes": {"payload_id": step.excerpt.payload_id, "locator": step.excerpt.locator, "offset": step.excerpt.offset,
                       "length": step.excerpt.length} if step.excerpt else None}
            for step in found.steps
        ],
    }
