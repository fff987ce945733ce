"""The catalog's pages: every link leads somewhere, every table has its twins, nothing runs, nothing leaks, empty states teach."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette

from assets.stores.catalog import CatalogStore
from lineage.trace_result import Excerpt, Question, Step, Trace, Value
from orchestration.catalog.app import create_app
from orchestration.catalog.trace_page import Tracer
from tests.integration.catalog_world import HOSTILE, KEY, Reader, ask, assert_harmless, fill
from transforms.errors import ContractError, UnavailableError
from transforms.governance.checkpoint import parse_checkpoint
from transforms.governance.merkle import check_inclusion, leaf_hash

PAGES = [
    "/", "/ledger", "/ledger?facility=lakeside&date=2026-03-02", "/quarantine", "/holds", "/corrections", "/facility/lakeside",
    "/facility/lakeside/2026-03-02", "/assets", "/assets?layer=marts", "/asset/canonical.patient",
    "/asset/canonical.patient/column/birth_date", "/asset/canonical.patient/lakeside/2026-03-02", "/log", "/log?kind=materialize",
    "/log/1", "/run/run-1", "/find?q=birth", "/trace",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a filled store."""
    scratch = tmp_path_factory.mktemp("catalog")
    fill(scratch)
    return scratch


@pytest.fixture(scope="module")
def app(folder: Path) -> Starlette:
    """The application over the filled store."""
    return create_app(folder / "audit.sqlite", folder / "anchors.jsonl", [KEY.public_key().public_bytes_raw()])


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_harmless(app: Starlette, address: str) -> None:
    """Each page answers, closes its tags, labels its fields, holds no script and no inline style, and loads nothing from elsewhere."""
    answer = ask(app, address)
    assert answer.status == 200
    assert_harmless(answer.text)


@pytest.mark.parametrize("address", ["/", "/nowhere", "/static/catalog.css", "/log/1/proof.json", "/ledger.csv"])
def test_every_answer_has_the_headers(app: Starlette, address: str) -> None:
    """Nothing may be loaded, framed, sniffed or kept, on errors and files too."""
    headers = ask(app, address).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_every_link_leads_somewhere(app: Starlette) -> None:
    """From the first page on, every address that any page links to answers."""
    seen, front = {"/"}, ["/"]
    while front:
        address = front.pop()
        answer = ask(app, address)
        assert answer.status == 200, address
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        for link in Reader(answer.text).links:
            bare = link.split("#")[0]
            if bare and bare not in seen and "sort." not in bare:
                seen.add(bare)
                front.append(bare)
    assert len(seen) > 60


def test_twins_hold_what_the_table_shows(app: Starlette) -> None:
    """CSV and JSON of a table have the same rows, under the table's address with another ending."""
    sheet = list(csv.DictReader(io.StringIO(ask(app, "/ledger.csv").text)))
    document = json.loads(ask(app, "/ledger.json?facility=lakeside").text)
    assert len(sheet) == 6
    assert document["total"] == 3
    assert {row["facility_id"] for row in document["rows"]} == {"lakeside"}
    assert sum(int(row["received"]) for row in sheet) == 600
    facilities = json.loads(ask(app, "/index.json?table=facilities").text)
    assert {row["name"] for row in facilities["rows"]} == {f"Lakeside {HOSTILE}", "Riverside Hospital"}
    assert ask(app, "/ledger.csv?table=nothing").status == 404


def test_the_answer_is_a_sentence_with_figures(app: Starlette) -> None:
    """The first page says in words what is so, and the three verdicts stand apart."""
    text = ask(app, "/").text
    assert "All 600 records received from 2 facilities since 1 March 2026 are accounted for." in text
    for label in ("Internally consistent", "Signed", "Consistent with anchors"):
        assert label in text
    assert "12 records wait for 1 owner, the oldest" in ask(app, "/quarantine").text
    assert "7 facts were restated by 1 partition" in ask(app, "/corrections").text


def test_a_facility_is_told_by_its_days(app: Starlette) -> None:
    """A held day is counted among all; without one the sentence says what waits in quarantine."""
    assert "1 of 3 days held back or not adding up." in ask(app, "/facility/lakeside").text
    assert "3 days received, all accounted for; 6 records in quarantine." in ask(app, "/facility/riverside").text


def test_status_is_a_shape_and_a_word(app: Starlette) -> None:
    """A held day shows ▲ and the word, in the strip with a title that says it in full."""
    text = ask(app, "/facility/lakeside/2026-03-02").text
    assert "the day is held" in text
    assert "▲" in text
    assert "2026-03-02: held, 100 received" in ask(app, "/").text


def test_times_are_in_the_facilitys_zone(app: Starlette) -> None:
    """09:30 UTC is shown as 03:30 in Chicago, with UTC on hover."""
    text = ask(app, "/facility/lakeside/2026-03-02").text
    assert "2026-03-04 03:30 CST" in text
    assert 'title="2026-03-04 09:30:00 UTC"' in text


def test_column_page_names_the_payload_field(app: Starlette) -> None:
    """A mart's column leads back to PID-7.1, in words, in the drawing and in its table twin."""
    text = ask(app, "/asset/marts.mart_census/column/birth_date").text
    assert "PID-7.1" in text
    assert '<svg class="graph"' in text
    rows = json.loads(ask(app, "/asset/marts.mart_census/column/birth_date.json?table=upstream").text)["rows"]
    assert ("landing.payload", "PID-7.1") in {(row["src_asset"], row["src_col"]) for row in rows}


def test_proof_can_be_checked_without_the_log(app: Starlette) -> None:
    """The proof document alone shows its entry to be under the signed root."""
    proof = json.loads(ask(app, "/log/2/proof.json").text)
    siblings = [bytes.fromhex(one) for one in proof["siblings"]]
    checkpoint = parse_checkpoint(proof["checkpoint"])
    assert check_inclusion(proof["seq"], checkpoint.size, leaf_hash(proof["entry"].encode()), siblings, checkpoint.root)


@pytest.mark.parametrize("address", [
    "/nowhere", "/asset/no.such", "/asset/canonical.patient/column/nothing", "/asset/canonical.patient/lakeside/1999-01-01", "/log/999999",
    "/run/none", "/facility/lakeside/notadate", "/log/9/proof.json.exe",
])
def test_nothing_there_is_said_in_words(app: Starlette, address: str) -> None:
    """An address of nothing gives 404 and a page that says so."""
    answer = ask(app, address)
    assert answer.status == 404
    assert "There is nothing here." in answer.text


def test_foreign_host_is_refused(app: Starlette) -> None:
    """A name that is not ours is refused, so that another site cannot borrow the reader's browser."""
    assert ask(app, "/", headers={"host": "evil.example"}).status == 400


def test_before_the_first_run(tmp_path: Path) -> None:
    """Without a store the pages say so with 503; with an empty one they teach what would be here, and the command that brings it."""
    empty = create_app(tmp_path / "audit.sqlite")
    answer = ask(empty, "/")
    assert answer.status == 503
    assert "a run makes it" in answer.text
    CatalogStore(tmp_path / "audit.sqlite", KEY).close()
    for address, words in (("/", "lakehouse demo"), ("/ledger", "lakehouse materialize"), ("/quarantine", "would stand here")):
        answer = ask(empty, address)
        assert answer.status == 200
        assert words in answer.text


def test_a_changed_entry_shows_on_the_first_page(tmp_path: Path) -> None:
    """An entry edited in the file makes the verdict on the first page a no."""
    import sqlite3

    path = fill(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("drop trigger entry_is_not_updated")
        db.execute("update entry set body = replace(body, '\"rows\":10', '\"rows\":11') where seq = 3")
    db.close()
    text = ask(create_app(path, tmp_path / "anchors.jsonl"), "/log").text
    assert "It is not intact" in text or "changed" in text
    assert "■" in text


FOUND = Trace("canonical.patient.birth_date comes from PID-7.1.", (
    Step("landing", "As received", "landing.payload", (("payload_id", "ab" * 32),), (Value("birth_date", "1970-01-02", True, "r1"),),
         excerpt=Excerpt("ab" * 32, "message/1/segment/3", 40, 8, "PID|1||", f"{HOSTILE}", "|F")),), "replayed equal")
FORM = {"asset": "canonical.patient", "key": "fact_key=abc", "column": "birth_date", "reader": "amy", "purpose": "audit"}


def tracing(folder: Path, tracer: Tracer) -> Starlette:
    """The application with a tracer."""
    return create_app(folder / "audit.sqlite", folder / "anchors.jsonl", tracer=tracer)


def test_a_trace_is_recorded_before_it_is_shown(folder: Path) -> None:
    """The look is recorded with who and why; the page then shows the bytes, escaped."""
    recorded: list[Question] = []
    app = tracing(folder, Tracer(lambda question: FOUND, lambda question, found: recorded.append(question)))
    answer = ask(app, "/trace", "POST", FORM, {"sec-fetch-site": "same-origin"})
    assert answer.status == 200
    assert [(question.reader, question.purpose, dict(question.key)) for question in recorded] == [("amy", "audit", {"fact_key": "abc"})]
    assert "1970-01-02" in answer.text
    assert HOSTILE not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_no_trace_without_a_record(folder: Path) -> None:
    """Where the log cannot be written nothing is shown: 503 and no value."""
    def fail(question: Question, found: Trace) -> None:
        raise UnavailableError("the catalog store stayed locked for 30 s; try again")

    answer = ask(tracing(folder, Tracer(lambda question: FOUND, fail)), "/trace", "POST", FORM)
    assert answer.status == 503
    assert "1970-01-02" not in answer.text


def test_a_busy_warehouse_is_503_with_the_holder(folder: Path) -> None:
    """While a run writes, the trace page says who does; the other pages answer."""
    def busy(question: Question) -> Trace:
        raise UnavailableError("The warehouse is in use by run r1.")

    app = tracing(folder, Tracer(busy, lambda question, found: None))
    answer = ask(app, "/trace", "POST", FORM)
    assert answer.status == 503
    assert "in use by run r1" in answer.text
    assert ask(app, "/").status == 200


@pytest.mark.parametrize(("change", "words"), [
    ({"reader": ""}, "The form lacks: your account."), ({"key": "no equals sign"}, "name=value"), ({"purpose": "curiosity"}, "purpose"),
])
def test_an_incomplete_form_is_refused(folder: Path, change: dict[str, str], words: str) -> None:
    """A question without account, key or registered purpose is refused in words."""
    app = tracing(folder, Tracer(lambda question: FOUND, lambda question, found: None))
    answer = ask(app, "/trace", "POST", {**FORM, **change})
    assert answer.status == 400
    assert words in answer.text


def test_a_form_from_elsewhere_is_refused(folder: Path) -> None:
    """Another site cannot send the form in the reader's name."""
    app = tracing(folder, Tracer(lambda question: FOUND, lambda question, found: None))
    assert ask(app, "/trace", "POST", FORM, {"sec-fetch-site": "cross-site"}).status == 403
    assert ask(app, "/trace", "POST", FORM, {"origin": "http://evil.example"}).status == 403
    assert ask(app, "/trace", "POST", FORM, {"origin": "http://127.0.0.1"}).status == 200


def test_refusals_of_a_trace_are_words(folder: Path) -> None:
    """What cannot be traced is said, with 400."""
    def refuse(question: Question) -> Trace:
        raise ContractError("no row of canonical.patient has this key")

    answer = ask(tracing(folder, Tracer(refuse, lambda question, found: None)), "/trace", "POST", FORM)
    assert answer.status == 400
    assert "no row of canonical.patient has this key" in answer.text


def test_json_twin_of_a_trace(folder: Path) -> None:
    """A trace has a JSON twin with the place of its bytes and without them."""
    found = replace(FOUND, badge="superset")
    app = tracing(folder, Tracer(lambda question: found, lambda question, trace: None))
    document = json.loads(ask(app, "/trace.json", "POST", FORM).text)
    assert document["badge"] == "superset"
    assert document["steps"][0]["bytes"]["offset"] == 40
