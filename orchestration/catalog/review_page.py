"""The review pages: which pairs of records wait for a steward, and are these two one human?

Only a steward opens them (HTTP Basic, RFC 7617, over the names that `lakehouse identity steward` admitted). A look is recorded before a
value is shown; a decision names the decisions that its form knew of, so that of two stewards the first wins and the second is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from difflib import SequenceMatcher
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from assets.stores.identity_decisions import CANNOT_LINK, LINK, WITHDRAWN, Decision
from lineage.audit_log import open_catalog
from orchestration.catalog.answering import Answering, footer, refused_status
from orchestration.catalog.cells import count, counted, utc_text
from orchestration.catalog.overlay_page import overlay_table, show_overlay, take_answer
from orchestration.catalog.reading import Reading
from orchestration.catalog.reviewing import Pair, Queue, Reviewer
from orchestration.catalog.security import comes_from_here
from orchestration.catalog.tables import Asked, rows_table
from orchestration.catalog.view import Column, Crumb, Empty, Fact, Facts, Figure, Figures, Page
from orchestration.catalog.waterfall import draw_waterfall
from transforms.errors import LakehouseError, UnavailableError

MAX_FORM = 10_000
# pairs of the queue among which the next one is looked for
QUEUE_AHEAD = 200
DECISIONS = {LINK: "One human: link them", CANNOT_LINK: "Two humans: keep them apart", WITHDRAWN: "Take the decision back"}
# label, column of the records, comparison that judges it
FIELDS = (
    ("Family name", "family", "family"), ("Given name", "given", "given"), ("Middle name", "middle", "middle"),
    ("Generation", "suffix", "suffix"), ("Birth date", "birth_text", "birth_date"), ("Sex", "gender", "gender"),
    ("SSN, last four", "ssn_last4", "ssn"), ("Phone", "phone", "phone"), ("E-mail", "email", "email"),
    ("House number", "address_number", "address"), ("Street", "address_street", ""), ("Apartment", "address_unit", "address"),
    ("Postal code", "postal_code", "address"), ("Number at the facility", "identifier_value", "identifier"),
    ("Facility", "facility_id", ""), ("Person now", "person_id", ""),
)
# levels whose name alone says too little to a steward
LEVEL_WORDS = {
    "exact": "agree", "different": "differ", "short": "short form", "sound": "sound alike", "typo": "a slip apart", "close": "a slip apart",
    "near": "two parts agree", "generation": "a slip, but years apart", "partial": "agree as far as known", "part": "a part agrees",
    "last4": "last four agree", "area": "postal code agrees", "root": "forms of one name", "joined": "written apart",
    "swapped": "exchanged", "crossed": "exchanged", "tangled": "exchanged, a slip apart", "rotated": "given and middle exchanged",
    "middle": "is the other's middle name", "initial": "initial agrees",
}
_CRUMBS = [Crumb("Identity", "/review", "identity")]
_TITLE = "What waits for a steward?"
_NO_QUEUE = Empty("No pair waits. Pairs with evidence short of linking would stand here.")
_NOTHING_ASKED = Empty("Nothing has asked yet. Each rule that asks would stand here, with what stewards said.")
_CLOSED = Page(_TITLE, "This server has no warehouse to review in. Start it with `lakehouse catalog serve` on "
               "the data root.", "pending", _CRUMBS, [])
_STRANGE = Page("This form was not sent from here.", "Open the pair and decide again.", "failed", _CRUMBS, [])
_UNKNOWN = Page("Who are you?", "Only stewards open the review page. Let one be admitted: lakehouse identity steward NAME.", "failed",
                _CRUMBS, [])


def review_routes(answering: Answering, reviewer: Reviewer | None) -> list[Route]:
    """The queue, a pair or an overlay, and the decision on it."""

    async def endpoint(request: Request) -> Response:
        if reviewer is None:
            return answering.html(request, _CLOSED, "")
        steward = await run_in_threadpool(reviewer.who, request.headers.get("authorization"))
        if steward is None:
            refused = answering.html(request, _UNKNOWN, "", 401)
            refused.headers["www-authenticate"] = 'Basic realm="identity review", charset="UTF-8"'
            return refused
        if request.url.path == "/review":
            return await run_in_threadpool(
                answering.answer, request, lambda reading, asked, _: _queue_page(reading, asked, reviewer.queue(asked.limit)))
        is_overlay = request.url.path == "/review/overlay"
        if request.method != "POST":
            if is_overlay:
                return await run_in_threadpool(show_overlay, answering, reviewer, steward, request, dict(request.query_params))
            return await run_in_threadpool(_pair, answering, request, reviewer, steward, dict(request.query_params))
        if not comes_from_here(request.headers):
            return answering.html(request, _STRANGE, "", 403)
        body = (await request.body())[:MAX_FORM]
        said = {name: values[0].strip() for name, values in parse_qs(body.decode("utf-8", "replace"), max_num_fields=20).items()}
        if is_overlay:
            return await run_in_threadpool(take_answer, answering, reviewer, steward, request, {**request.query_params, **said})
        return await run_in_threadpool(_decided, answering, request, reviewer, steward, {**request.query_params, **said})

    return [Route("/review", endpoint), *(Route(path, endpoint, methods=["GET", "POST"]) for path in ("/review/pair", "/review/overlay"))]


def _queue_page(reading: Reading, asked: Asked, waiting: Queue) -> Page:
    """What waits, for how long, and what asking has yielded."""
    pairs, linked, apart = (sum(int(str(row[name])) for row in waiting.rules) for name in ("waiting", "linked", "kept_apart"))
    oldest = min((str(row["since"]) for row in waiting.rules if row["since"]), default="")
    days = (datetime.now(UTC).date() - datetime.fromisoformat(oldest).date()).days if oldest else 0
    changes = waiting.overlay_counts.get("waiting", 0)
    answer = (f"{counted(pairs, 'pair')} {_wait(pairs)}, the oldest for {counted(days, 'day')}. " if pairs else "No pair waits. ") + (
        f"Of {counted(linked + apart, 'decided pair')} {count(linked)} were one human." if linked + apart else "None was decided yet.") + (
        f" {counted(changes, 'change')} of content {_wait(changes)} for an answer." if changes else "")
    shown = [{**row, "since": utc_text(row["since"]), "look": "compare", "score": round(float(str(row["score"] or 0)), 1),
              "facility_l": reading.name(str(row["facility_l"])), "facility_r": reading.name(str(row["facility_r"]))}
             for row in waiting.pairs]
    queued = rows_table(asked, "pairs", "Pairs, likeliest first", (
        Column("look", "Pair", href="/review/pair?left={patient_key_l}&right={patient_key_r}"),
        Column("score", "Score, bits", "bits", help="log2 of the odds that both are one human"),
        Column("rule_or_model", "Asked by", "code"), Column("veto", "Veto", "code"), Column("reason", "Why", "code"),
        Column("facility_l", "One at"), Column("facility_r", "The other at"), Column("since", "Since", "instant"),
        Column("patient_key_l", "One record", "id"), Column("patient_key_r", "Other record", "id")), shown, _NO_QUEUE)
    rules = [{**row, "since": utc_text(row["since"]), "share": _share(row["linked"], row["kept_apart"])} for row in waiting.rules]
    return Page(_TITLE, answer, "waiting" if pairs or changes else "passed", _CRUMBS, [
        Figures([Figure(count(pairs), f"pair{'' if pairs == 1 else 's'} {_wait(pairs)}", status="waiting" if pairs else "passed"),
                 Figure(counted(days, "day"), "the oldest waits"),
                 Figure(_share(linked, apart) or "–", "of decided pairs were one human"),
                 Figure(count(waiting.incomparable), "records have nothing to compare"),
                 Figure(count(changes), f"change{'' if changes == 1 else 's'} of content {_wait(changes)} for an answer",
                        status="waiting" if changes else "passed")]),
        replace(queued, total=pairs),
        replace(overlay_table(reading, asked, waiting), total=changes),
        rows_table(asked, "rules", "What asks, and what came of it", (
            Column("asked_by", "Rule", "code"), Column("waiting", "Waiting", "count"), Column("since", "Oldest", "instant"),
            Column("linked", "One human", "count"), Column("kept_apart", "Two humans", "count"), Column("share", "Yield", "bits")),
            rules, _NOTHING_ASKED),
    ])


def _pair(answering: Answering, request: Request, reviewer: Reviewer, steward: str, fields: Mapping[str, str], fault: str = "",
          status_code: int = 200) -> Response:
    """Two records side by side with what speaks for and against them, and the form to decide."""
    try:
        found = reviewer.look(fields.get("left", ""), fields.get("right", ""), steward)
        following = _next_pair(reviewer, fields)
        with open_catalog(answering.catalog_path) as connection:
            names, foot = {one.facility_id: one.name for one in Reading(connection).facilities.values()}, footer(connection)
    except LakehouseError as refused:
        page = Page("Are these two one human?", str(refused), "failed", _CRUMBS, [])
        return answering.html(request, page, "", refused_status(refused))
    page = Page("Are these two one human?", fault or _answer(found), "failed" if fault else "waiting", [*_CRUMBS, Crumb("Pair")], [])
    html = answering.templates.get_template("review.html").render(
        page=page, path="/review", footer=foot, found=found, rows=_side_by_side(found, names), steward=steward, decisions=DECISIONS,
        drawing=draw_waterfall(found.steps) if found.steps else "", reviewers=reviewer.reviewers, reason=fields.get("reason", ""),
        following=following,
        here="/review/pair?" + urlencode({"left": found.records[0]["patient_key"], "right": found.records[1]["patient_key"],
                                          "seen": found.decided["decision_seq"] if found.decided else 0}))
    return HTMLResponse(html, status_code)


def _answer(found: Pair) -> str:
    if found.decided and found.decided["decision"] != WITHDRAWN:
        return f"{found.decided['decided_by']} decided: {'one human' if found.decided['decision'] == LINK else 'two humans'}."
    if found.edge is None:
        return "No evidence is kept on this pair: nothing but what you see speaks for or against it."
    veto = (f", and the veto “{found.edge['veto']}” forbids a link" + (f": {found.veto_reason}" if found.veto_reason else "")
            if found.edge["veto"] else "")
    return f"The evidence is worth {_bits(found.edge['score'])} bits; rule “{found.edge['rule_or_model'] or 'none'}” asks{veto}."


def _side_by_side(found: Pair, names: Mapping[str, str]) -> list[dict[str, object]]:
    """Give a row a field: label, both values, the level of agreement, and whether it agrees (ok), differs (bad) or neither."""
    left, right = found.records
    rows = []
    for label, column, comparison in FIELDS:
        level = str((found.edge or {}).get(comparison) or "unknown") if comparison else ""
        values = [names.get(str(one[column]), one[column]) if column == "facility_id" else one[column] for one in (left, right)]
        rows.append({"label": label, "left": values[0], "right": values[1], "kind": "id" if column == "person_id" else "text",
                     "marked": _marked(*map(str, values)) if all(values) and level not in ("", "exact", "unknown") else None,
                     "level": "" if level == "unknown" else LEVEL_WORDS.get(level, level),
                     "tone": {"exact": "ok", "different": "bad", "unknown": "", "": ""}.get(level, "warn")})
    return rows


def _marked(left: str, right: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]] | None:
    """Cut two values into pieces, each with whether it differs; None where they have too little in common for that to help the eye."""
    matched = SequenceMatcher(None, left, right, autojunk=False)
    if matched.ratio() < 0.5:
        return None
    steps = matched.get_opcodes()
    return ([(left[start:end], kind != "equal") for kind, start, end, _, _ in steps if start < end],
            [(right[start:end], kind != "equal") for kind, _, _, start, end in steps if start < end])


def _next_pair(reviewer: Reviewer, fields: Mapping[str, str]) -> str:
    """Give the address of the pair that waits after this one, of the likeliest where this one waits no longer; empty where none does."""
    waiting = [(str(row["patient_key_l"]), str(row["patient_key_r"])) for row in reviewer.queue(QUEUE_AHEAD).pairs]
    here = min(fields.get("left", ""), fields.get("right", "")), max(fields.get("left", ""), fields.get("right", ""))
    rest = waiting[waiting.index(here) + 1:] if here in waiting else waiting
    return f"/review/pair?{urlencode({'left': rest[0][0], 'right': rest[0][1]})}" if rest else ""


def _decided(answering: Answering, request: Request, reviewer: Reviewer, steward: str, fields: Mapping[str, str]) -> Response:
    """Carry out a decision, or show the pair again with what hinders it."""
    if fields.get("decision") not in DECISIONS or not fields.get("reason"):
        return _pair(answering, request, reviewer, steward, fields, "A decision needs a choice and a reason.", 400)
    seen, following = fields.get("seen", "0"), ""
    said = Decision(fields.get("left", ""), fields.get("right", ""), fields["decision"], steward, fields["reason"],
                    int(seen) if seen.isdecimal() else 0)
    try:
        sentence = reviewer.decide(said)
    except LakehouseError as refused:
        return _pair(answering, request, reviewer, steward, fields, str(refused), refused_status(refused))
    # what was decided stands, whether the queue can be read now or not
    with suppress(UnavailableError):
        following = _next_pair(reviewer, fields)
    return answering.html(request, Page("What became of your decision?", sentence, "passed", [*_CRUMBS, Crumb("Decision")], [
        Facts("Next", [*([Fact("Next pair", "the one that waits after it", href=following)] if following else []),
                       Fact("Queue", "what waits", href="/review"),
                       Fact("Pair", "look again", href=f"/review/pair?{urlencode({'left': said.left, 'right': said.right})}")])]), "")


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _share(linked: object, apart: object) -> str:
    together = int(str(linked)) + int(str(apart))
    return f"{100 * int(str(linked)) / together:.0f} %" if together else ""


def _bits(score: object) -> str:
    return f"{float(str(score)):.1f}" if score is not None else ""
