"""A catalog store with invented figures, and a browser without eyes: requests straight into the application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.types import ASGIApp, Message

from assets.stores.catalog import CatalogStore
from transforms.governance.events import Event, partition_subject
from transforms.governance.projection_rows import Projection

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
DAYS = [date(2026, 3, 1) + timedelta(days=offset) for offset in range(3)]
TIME = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>"


@dataclass(frozen=True)
class Answer:
    """What the application answered."""

    status: int
    headers: dict[str, str]
    text: str


def ask(
    app: ASGIApp, address: str, method: str = "GET", form: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request, answered."""
    parts = urlsplit(address)
    body = urlencode(form or {}).encode()
    sent: list[Message] = []
    given = {"host": "127.0.0.1", **(headers or {})}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
        "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }

    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]  # an ASGI application is a coroutine function
    start = next(message for message in sent if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, content.decode())


class Reader(HTMLParser):
    """Reads a page: its links, its ids, and whether every tag that opens also closes."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, html: str) -> None:
        """Read the page."""
        super().__init__()
        self.links: list[str] = []
        self.labelled: set[str] = set()
        self.fields: set[str] = set()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(html)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag closed at once."""
        self._note(tag, dict(attrs))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that opens."""
        self._note(tag, dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def _note(self, tag: str, given: dict[str, str | None]) -> None:
        self.tags.append(tag)
        self.attributes |= set(given)
        if given.get("href") and tag == "a":
            self.links.append(str(given["href"]))
        if tag == "label":
            self.labelled.add(str(given.get("for")))
        if tag in ("input", "select", "textarea"):
            self.fields.add(str(given.get("id")))

    def handle_endtag(self, tag: str) -> None:
        """A tag that closes: the one that was opened last."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def fill(folder: Path) -> Path:
    """A store of two facilities over three days: one hold, one warning, quarantine, a correction, lineage of a few columns."""
    path = folder / "audit.sqlite"
    with CatalogStore(path, KEY, folder / "anchors.jsonl") as store:
        store.record([_run_event(), *_materialized()], [*_registry(), *_accounts(), *_code()])
        store.append([Event("quarantine.release", "raw.raw_unit|lakeside|2026-03-02", {
            "facility_id": "lakeside", "batch_date": "2026-03-02", "reason": "time.invalid", "units": 2}, "user:amy", "run-1", "mapping mended")])
        store.checkpoint()
    return path


def _run_event() -> Event:
    return Event("run.start", "run-1", {
        "run_seq": 1, "job": "daily", "facilities": ["lakeside", "riverside"], "dates": [day.isoformat() for day in DAYS],
        "code_version": "abc"}, run_id="run-1")


def _materialized() -> list[Event]:
    return [
        Event("materialize", partition_subject("canonical.patient", facility, day.isoformat()), {
            "facility_id": facility, "batch_date": day.isoformat(), "asset": "canonical.patient", "code_version": "abc", "inputs": {},
            "data_version": "run-1", "rows": 10, "content_hash": "ab" * 16}, run_id="run-1")
        for facility in ("lakeside", "riverside") for day in DAYS
    ]


def _registry() -> list[Projection]:
    rows = [
        {"facility_id": facility, "name": name, "region": "north", "owner": f"{facility}@northstar.example", "timezone": zone,
         "source_system": "epic"}
        for facility, name, zone in (
            ("lakeside", f"Lakeside {HOSTILE}", "America/Chicago"), ("riverside", "Riverside Hospital", "America/New_York"))
    ]
    return [Projection("facility", rows, {})]


def _accounts() -> list[Projection]:
    every = [(facility, day) for facility in ("lakeside", "riverside") for day in DAYS]
    ledger = [
        {"facility_id": facility, "batch_date": day, "source": "adt", "record_type": "ADT^A01", "unit_kind": "hl7.message", "received": 100,
         "canonical": 90, "duplicate": 4, "superseded": 3, "quarantined": 2, "ignored_by_rule": 1, "balanced": True}
        for facility, day in every
    ]
    deliveries = [
        {"delivery_id": f"d-{facility}-{day}", "payload_id": "ab" * 32, "facility_id": facility, "source": "adt", "batch_date": day,
         "size": 5000, "received_time": TIME, "units": 100, "flags": None} for facility, day in every
    ]
    quarantine = [
        {"facility_id": facility, "batch_date": day, "source": "adt", "reason": "time.invalid", "owner": "facility interface team",
         "units": 2, "since": TIME} for facility, day in every
    ]
    verdicts = [
        {"asset": "canonical.patient_version", "check_name": "null_rate", "facility_id": facility, "batch_date": day,
         "status": "failed" if (facility, day.day) == ("lakeside", 2) else "passed", "severity": "blocking", "failed_rows": 0,
         "total_rows": 10, "description": "Is the birth date there?", "run_id": "run-1", "time": TIME} for facility, day in every
    ]
    hold = [{"facility_id": "lakeside", "batch_date": DAYS[1], "asset": "canonical.patient_version", "reason": "null_rate", "since": TIME,
             "released": None}]
    correction = [{"facility_id": "riverside", "batch_date": DAYS[2], "resource": "patient", "facts": 7, "slices": 2,
                   "oldest_service_date": date(2026, 1, 5), "run_id": "run-1", "time": TIME}]
    written = [
        {"asset": "canonical.patient", "layer": "canonical", "facility_id": facility, "batch_date": day, "run_id": "run-1",
         "code_version": "abc", "data_version": "run-1", "reading_rules": "0123456789ab", "rows": 10, "content_hash": "ab" * 16, "time": TIME} for facility, day in every
    ]
    run = [{"run_id": "run-1", "run_seq": 1, "kind": "daily", "facilities": ["lakeside", "riverside"],
            "dates": [day.isoformat() for day in DAYS], "started": TIME, "ended": TIME + timedelta(seconds=42), "state": "success"}]
    return [Projection("ledger", ledger, {}), Projection("delivery", deliveries, {}), Projection("quarantine", quarantine, {}),
            Projection("verdict", verdicts, {}), Projection("hold", hold, {}), Projection("correction", correction, {}),
            Projection("materialization", written, {}), Projection("run", run, {})]


def _code() -> list[Projection]:
    assets = ("landing.payload", "raw.raw_hl7v2__pid", "canonical.patient_version", "canonical.patient", "marts.mart_census")
    models = [
        {"asset": asset, "layer": asset.split(".")[0], "description": f"grain: one row a test {HOSTILE}", "owner": "",
         "code_version": "v1", "current": True, "sql": "select 1 as birth_date", "opaque": None,
         "columns": [{"name": "birth_date", "type": "varchar", "description": "", "phi": 3}]} for asset in assets
    ]
    payload, raw, version, current, mart = assets
    hops = [(payload, "PID-7.1", raw, "pid_7_1"), (raw, "pid_7_1", version, "birth_date"),
            (version, "birth_date", current, "birth_date"), (current, "birth_date", mart, "birth_date")]
    edges = [
        {"model": asset, "code_version": "v1", "out_col": column, "src_asset": source, "src_col": source_column, "path": "", "type": kind,
         "subtype": subtype, "masking": False, "expr_sql": "said.birth_date < 3"}
        for source, source_column, asset, column in hops for kind, subtype in (("DIRECT", "IDENTITY"), ("INDIRECT", "CONDITIONAL"))
    ]
    rows = [{"model": current, "code_version": "v1", "src_asset": version, "src_col": "birth_date", "path": "", "subtype": "FILTER"}]
    return [Projection("model", models, {}), Projection("column_edge", edges, {}), Projection("rowset_edge", rows, {})]


def assert_harmless(html: str) -> None:
    """A page closes its tags, labels its fields, has a heading, holds no script, no inline style and no hostile value, and loads nothing from
    elsewhere."""
    page = Reader(html)
    assert (page.faults, page.open) == ([], [])
    assert "script" not in page.tags
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}
    assert page.fields <= page.labelled
    assert "h1" in page.tags
    assert all(not link.startswith(("http:", "https:", "//")) for link in page.links)
    assert HOSTILE not in html
    assert ">None<" not in html
