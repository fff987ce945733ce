"""The page of an overlay: a record whose content became someone else's, its contents side by side, and the steward's answer.

Reached from `/review` and opened to stewards alone, as pairs are; a look is recorded before a value is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
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
from transforms.errors import LakehouseError, UnavailableError

LABELS = {OVERLAY: "Another human: the facility was told", NO_OVERLAY: "The same human: a corrected record"}
ANSWERED = {OVERLAY: "another human, and the facility was told", NO_OVERLAY: "the same human, whose record was corrected"}
# how the newest content and the one before it compare in a field: tone, words
DIFFER, AGREE, CAME, WENT = ("bad", "differ"), ("ok", "agree"), ("warn", "not said before"), ("warn", "said no more")
FIELDS = (
    ("Number at the facility", "identifier_value"), ("Family name", "name_family"), ("Given name", "name_given"),
    ("Generation", "name_suffix"), ("Birth date", "birth_date"), ("Sex", "gender"), ("Phone", "telecom_phone"),
    ("E-mail", "telecom_email"), ("Address", "address_line"), ("Postal code", "address_postal_code"),
)
_TITLE = "Did this record become someone else's?"
_CRUMBS = [Crumb("Identity", "/review", "identity"), Crumb("Overlay")]
_NONE = Empty("No change of content waits for an answer. One that speaks of another human would stand here.")


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
            names, foot = {one.facility_id: one.name for one in Reading(connection).facilities.values()}, footer(connection)
    except LakehouseError as refused:
        page = Page(_TITLE, str(refused), "failed", _CRUMBS, [])
        return answering.html(request, page, "", refused_status(refused))
    status = "failed" if fault else "passed" if found.overlay["answer"] else "waiting"
    page = Page(_TITLE, fault or _answer(found), status, _CRUMBS, [])
    key, run_seq = found.overlay["patient_key"], found.overlay["run_seq"]
    linked = [{"name": names.get(str(one["facility_id"]), one["facility_id"]), "key": one["patient_key"],
               "href": f"/review/pair?{urlencode({'left': key, 'right': one['patient_key']})}"} for one in found.linked]
    html = answering.templates.get_template("overlay.html").render(
        page=page, path="/review", footer=foot, overlay=found.overlay, since=[utc_text(one["source_time"]) for one in found.contents],
        rows=_side_by_side(found), linked=linked, facility=names.get(str(found.overlay["facility_id"]), found.overlay["facility_id"]),
        steward=steward, answers=LABELS, reason=fields.get("reason", ""),
        here=_address(key, run_seq, seen=found.overlay["answer_seq"] or 0))
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
    # what was answered stands, whether the queue can be read now or not
    following = ""
    with suppress(UnavailableError):
        following = _next_overlay(reviewer)
    return answering.html(request, Page("What became of your answer?", sentence, "passed", _CRUMBS, [
        Facts("Next", [*([Fact("Next overlay", "the newest that waits", href=following)] if following else []),
                       Fact("Queue", "what waits", href="/review"),
                       Fact("Overlay", "look again", href=_address(said.patient_key, said.run_seq))])]), "")


def _address(patient_key: object, run_seq: object, **more: object) -> str:
    return f"/review/overlay?{urlencode({'record': patient_key, 'run': run_seq, **more})}"


def _next_overlay(reviewer: Reviewer) -> str:
    """Give the address of the newest overlay that waits; empty where none does."""
    waiting = reviewer.queue(1).overlays
    return _address(waiting[0]["patient_key"], waiting[0]["run_seq"]) if waiting else ""


def _side_by_side(found: Overlaid) -> list[dict[str, object]]:
    """Give a row a field: label, its value in each content, and how the newest two compare: tone and words, empty where neither says it."""
    rows: list[dict[str, object]] = []
    for label, name in FIELDS:
        values = [one[name] for one in found.contents]
        tone, words = _compared(values[0], values[1]) if len(values) > 1 else ("", "")
        rows.append({"label": label, "values": values, "tone": tone, "words": words})
    return rows


def _compared(now: object, before: object) -> tuple[str, str]:
    if now == before:
        return AGREE if now else ("", "")
    return DIFFER if now and before else CAME if now else WENT


def _answer(found: Overlaid) -> str:
    if found.overlay["answer"]:
        return f"{found.overlay['decided_by']} answered: {ANSWERED[str(found.overlay['answer'])]}."
    score = float(str(found.overlay["score"]))
    return f"Compared as two records, old and new content score {score:.1f} bits: below 0 speaks for two humans. Nobody has answered yet."
