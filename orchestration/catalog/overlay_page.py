"""The page of an overlay: a record whose content became someone else's, its contents side by side, and the steward's answer.

Reached from `/review` and opened to stewards alone, as pairs are; a look is recorded before a value is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from assets.stores.identity_overlay_answers import ANSWERS, NO_OVERLAY, OVERLAY, OverlayAnswer
from lineage.audit_log import open_catalog
from orchestration.catalog.answering import Answering, footer, refused_status
from orchestration.catalog.cells import utc_text
from orchestration.catalog.reading import Reading
from orchestration.catalog.reviewing import Overlaid, Queue, Reviewer
from orchestration.catalog.tables import Asked, rows_table
from orchestration.catalog.view import Column, Crumb, Empty, Fact, Facts, Page, Table
from transforms.errors import LakehouseError

LABELS = {OVERLAY: "Another human: the facility was told", NO_OVERLAY: "The same human: a corrected record"}
FIELDS = (
    ("Family name", "name_family"), ("Given name", "name_given"), ("Generation", "name_suffix"), ("Birth date", "birth_date"),
    ("Sex", "gender"), ("Phone", "telecom_phone"), ("E-mail", "telecom_email"), ("Address", "address_line"),
    ("Postal code", "address_postal_code"),
)
_TITLE = "Did this record become someone else's?"
_CRUMBS = [Crumb("Identity", "/review", "identity"), Crumb("Overlay")]
_NONE = Empty("No change of content waits for an answer.", "lakehouse identity overlays --all")


def overlay_table(reading: Reading, asked: Asked, waiting: Queue) -> Table:
    """The overlays that wait: keys and figures, no values."""
    shown = [{**row, "look": "compare", "since": utc_text(row["since"]), "facility_id": reading.name(str(row["facility_id"])),
              "score": round(float(str(row["score"] or 0)), 1)} for row in waiting.overlays]
    return rows_table(asked, "overlays", "Records whose content became someone else's", (
        Column("look", "Overlay", href="/review/overlay?record={patient_key}&run={run_seq}"), Column("facility_id", "Facility"),
        Column("score", "Old against new, bits", "bits", help="log2 of the odds that both contents are of one human"),
        Column("others", "Other records of its person", "count"), Column("since", "Since", "instant"),
        Column("patient_key", "Record", "id"), Column("run_seq", "Run", "count")), shown, _NONE)


def show_overlay(answering: Answering, reviewer: Reviewer, steward: str, request: Request, fields: Mapping[str, str], fault: str = "",
                 status_code: int = 200) -> Response:
    """What the record said, newest first, and the form to answer."""
    run = fields.get("run", "")
    try:
        found = reviewer.look_overlay(fields.get("record", ""), int(run) if run.isdecimal() else 0, steward)
        with open_catalog(answering.catalog_path) as connection:
            foot = footer(connection)
    except LakehouseError as refused:
        page = Page(_TITLE, str(refused), "failed", _CRUMBS, [])
        return answering.html(request, page, "", refused_status(refused))
    page = Page(_TITLE, fault or _answer(found), "failed" if fault else "waiting", _CRUMBS, [])
    here = {"record": found.overlay["patient_key"], "run": found.overlay["run_seq"], "seen": found.overlay["answer_seq"] or 0}
    contents = [{**one, "since": utc_text(one["source_time"])} for one in found.contents]
    html = answering.templates.get_template("overlay.html").render(
        page=page, path="/review", footer=foot, found=Overlaid(found.overlay, contents), fields=FIELDS, steward=steward, answers=LABELS,
        reason=fields.get("reason", ""), here=f"/review/overlay?{urlencode(here)}")
    return HTMLResponse(html, status_code)


def take_answer(answering: Answering, reviewer: Reviewer, steward: str, request: Request, fields: Mapping[str, str]) -> Response:
    """Record an answer, or show the overlay again with what hinders it."""
    run, seen = fields.get("run", ""), fields.get("seen", "")
    if fields.get("answer") not in ANSWERS or not fields.get("reason") or not run.isdecimal():
        return show_overlay(answering, reviewer, steward, request, fields, "An answer needs a choice and a reason.", 400)
    said = OverlayAnswer(fields.get("record", ""), int(run), fields["answer"], steward, fields["reason"],
                         int(seen) if seen.isdecimal() else 0)
    try:
        sentence = reviewer.answer(said)
    except LakehouseError as refused:
        return show_overlay(answering, reviewer, steward, request, fields, str(refused), refused_status(refused))
    following = Facts("Next", [Fact("Queue", "what waits", href="/review")])
    return answering.html(request, Page(_TITLE, sentence, "passed", _CRUMBS, [following]), "")


def _answer(found: Overlaid) -> str:
    if found.overlay["answer"]:
        return f"{found.overlay['decided_by']} answered: {LABELS[str(found.overlay['answer'])].lower()}."
    return f"Old and new content weigh {float(str(found.overlay['score'])):.1f} bits as two records of one human. Nobody has answered yet."
