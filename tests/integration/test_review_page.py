"""The review pages: closed to strangers, whole and harmless, and a decision that names the steward and what was seen."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette

from assets.stores.catalog import CatalogStore
from assets.stores.identity_decisions import Decision
from assets.stores.identity_overlay_answers import SAID, OverlayAnswer
from assets.stores.identity_review import Opinions
from orchestration.catalog.app import create_app
from orchestration.catalog.cells import prose
from orchestration.catalog.reviewing import Overlaid, Pair, Queue, Reviewer
from tests.integration.catalog_world import HOSTILE, KEY, ask, assert_harmless
from transforms.errors import ConfigurationError, ContractError, LakehouseError, UnavailableError
from transforms.identity.evidence import EVIDENCE, waterfall
from transforms.identity.model import load_model
from transforms.identity.policy_file import load_policy

PAIR = "/review/pair?left=aa&right=bb"
AMY = {"authorization": "Basic amy", "sec-fetch-site": "same-origin"}
FORM = {"left": "aa", "right": "bb", "seen": "3", "decision": "link", "reason": "same passport"}


def pair() -> Pair:
    """A pair of invented records with evidence and a hostile value."""
    columns = ("facility_id", "person_id", "family", "given", "middle", "suffix", "birth_text", "gender", "ssn_last4", "phone", "email",
               "address_number", "address_street", "address_unit", "postal_code", "identifier_value")
    one = dict.fromkeys(columns) | {"patient_key": "aa", "family": "SMITH", "given": "MARY", "birth_text": "1970-01-02", "phone": "5035550142"}
    edge = dict.fromkeys(EVIDENCE, "unknown") | {"family": "exact", "given": "typo", "birth_date": "exact", "phone": "different",
                                                 "score": 12.5, "rule_or_model": "veto_review", "veto": "given"}
    return Pair([one, one | {"patient_key": "bb", "given": HOSTILE, "phone": "5035559999"}], edge, waterfall(load_model(), edge, 12.5),
                {"decision_seq": 3, "decision": "withdrawn", "decided_by": "dan"}, Opinions([{"said_by": "ben", "decision": "link"}, {"said_by": "amy", "decision": "cannot_link"}]),
                load_policy().veto_reason("given"))


RAISED = {"patient_key": "cc", "facility_id": "lakeside", "run_seq": 7, "since": datetime(2026, 1, 5), "score": -12.5, "person_id": "p-1",
          "link_rule": "single", "others": 2, "answer": None, "decided_by": None, "answer_seq": None}
CONTENTS = [dict.fromkeys((*SAID, "identifier_value")) | {"identifier_value": "100", "name_family": name, "source_time": datetime(2026, 1, day)} for day, name in ((4, HOSTILE), (1, "SMITH"))]
OVERLAY = "/review/overlay?record=cc&run=7"
answered: list[OverlayAnswer] = []


def reviewer(said: list[Decision]) -> Reviewer:
    """A reviewer that knows amy, one pair and one rule."""
    waiting = Queue(
        [{"asked_by": "typo_name_review", "waiting": 7, "since": datetime(2026, 1, 5), "linked": 3, "kept_apart": 1}],
        [{"patient_key_l": "aa", "patient_key_r": "bb", "reason": "review", "rule_or_model": "typo_name_review", "score": 12.5, "veto": None,
          "since": datetime(2026, 1, 5), "facility_l": "lakeside", "facility_r": "lakeside"}], 4321, [RAISED],
        {"waiting": 1, "overlay": 2, "no_overlay": 3})

    def decide(one: Decision) -> str:
        said.append(one)
        return "Decision 4 is carried out: 2 records changed their person."

    return Reviewer(lambda header: "amy" if header == "Basic amy" else None, lambda limit: waiting, lambda left, right, who: pair(), decide,
                    lambda key, run, who: Overlaid(RAISED, CONTENTS, [{"patient_key": "dd", "facility_id": "hillside"}]), lambda one: answered.append(one) or "Answer 5 is recorded.")  # type: ignore[func-returns-value]


@pytest.fixture
def said() -> list[Decision]:
    """What was decided."""
    return []


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty catalog store."""
    CatalogStore(tmp_path / "audit.sqlite", KEY).close()
    return tmp_path / "audit.sqlite"


@pytest.fixture
def app(store: Path, said: list[Decision]) -> Starlette:
    """The application with that reviewer."""
    return create_app(store, reviewer=reviewer(said))


@pytest.mark.parametrize(("address", "method"), [("/review", "GET"), ("/review.csv", "GET"), (PAIR, "GET"), ("/review/pair", "POST"), (OVERLAY, "GET"),
                                                ("/review/overlay", "POST")])
def test_strangers_see_and_decide_nothing(app: Starlette, said: list[Decision], address: str, method: str) -> None:
    """Without proof of who asks, every review address answers 401 and asks for it."""
    answer = ask(app, address, method, FORM, {"authorization": "Basic eve", "sec-fetch-site": "same-origin"})
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert "SMITH" not in answer.text
    assert said == []


@pytest.mark.parametrize("address", ["/review", PAIR, OVERLAY])
def test_the_pages_are_whole_and_harmless(app: Starlette, address: str) -> None:
    """Tags close, fields are labelled, nothing runs, and a hostile value is text."""
    answer = ask(app, address, headers=AMY)
    assert answer.status == 200
    assert_harmless(answer.text)


def test_the_queue_tells_age_and_yield(app: Starlette) -> None:
    """Seven pairs wait since 5 January; of four decided ones three were one human."""
    text = ask(app, "/review", headers=AMY).text
    assert "7 pairs wait" in text
    assert "Of 4 decided pairs 3 were one human" in text
    assert "75 %" in text
    assert "4,321" in text
    assert "left=aa&amp;right=bb" in text


def test_a_pair_shows_both_sides_and_the_waterfall(app: Starlette) -> None:
    """Both values of a field that differs, the level in words, a bar for each known comparison, the veto's reason, and who already said what."""
    text = re.sub("</?mark>", "", ask(app, PAIR, headers=AMY).text)
    assert "5035550142" in text
    assert "5035559999" in text
    assert text.count("<rect") == 1 + 4 + 1 + 1  # before, four known comparisons, the names, the score
    assert "ben says: one human" in text
    assert "You said: two humans" in text
    assert "the veto “given” forbids a link: two given names of one birth date, as twins have" in text


def test_the_second_steward_decides_unseen(store: Path, said: list[Decision]) -> None:
    """Until the asker has given an opinion the page says that another has, not who nor which."""
    blind = replace(reviewer(said), look=lambda left, right, who: replace(pair(), opinions=Opinions(hidden=1)))
    text = ask(create_app(store, reviewer=blind), PAIR, headers=AMY).text
    assert "Another steward has given an opinion" in text
    assert "ben" not in text
    assert "says: " not in text


def test_an_overlay_shows_old_and_new_and_takes_an_answer(app: Starlette, store: Path, said: list[Decision]) -> None:
    """The queue leads to it; both contents stand side by side; the answer is the proven steward's, of that run, and the second of two is told."""
    queued = ask(app, "/review", headers=AMY).text
    assert "record=cc&amp;run=7" in queued
    assert "SMITH" not in queued
    assert "1 change of content waits for an answer" in queued
    text = ask(app, OVERLAY, headers=AMY).text
    assert "SMITH" in text
    assert "-12.5 bits" in text
    assert re.search("Family name.*■</span> differ", text)
    assert re.search("Number at the facility.*100.*●</span> agree", text)
    assert "/review/pair?left=cc&amp;right=dd" in text
    assert "1 more" in text  # of two that share its person one is listed here
    form = {"record": "cc", "run": "7", "answer": "no_overlay", "reason": "a corrected record", "decided_by": "eve"}
    answered.clear()
    taken = ask(app, "/review/overlay", "POST", form, AMY).text
    assert "Answer 5 is recorded" in taken
    assert re.search("Next overlay.*record=cc&amp;run=7", taken, re.DOTALL)
    assert answered == [OverlayAnswer("cc", 7, "no_overlay", "amy", "a corrected record", 0)]
    for refused in (form | {"answer": "maybe"}, form | {"reason": ""}, form | {"run": "x"}):
        assert ask(app, "/review/overlay", "POST", refused, AMY).status == 400
    assert ask(app, "/review/overlay", "POST", form, AMY | {"sec-fetch-site": "cross-site"}).status == 403
    assert len(answered) == 1

    def late(one: OverlayAnswer) -> str:
        raise ContractError("identity: ben answered overlay to this overlay (answer 4); nothing was written.")

    told = ask(create_app(store, reviewer=replace(reviewer(said), answer=late)), "/review/overlay", "POST", form, AMY)
    assert (told.status, "ben answered overlay" in told.text) == (409, True)


def test_an_answered_overlay_says_who_answered_what(store: Path, said: list[Decision]) -> None:
    """It waits no more, and what was said stands in words; contents of which one lacks a value say which."""
    closed = RAISED | {"answer": "no_overlay", "decided_by": "ben", "answer_seq": 4}
    contents = [CONTENTS[0] | {"telecom_phone": "5035550142"}, CONTENTS[1] | {"telecom_email": "s@mail.example"}]
    shown = replace(reviewer(said), look_overlay=lambda key, run, who: Overlaid(closed, contents))
    text = ask(create_app(store, reviewer=shown), OVERLAY, headers=AMY).text
    assert "ben answered: the same human, whose record was corrected." in text
    assert '<p class="answer ok">' in text
    assert re.search("Phone.*▲</span> not said before", text)
    assert re.search("E-mail.*▲</span> said no more", text)
    assert "no other record shares its person" in text
    assert "seen=4" in text


def test_a_command_in_a_refusal_is_code(store: Path, said: list[Decision]) -> None:
    """What stands in backticks is shown as code, and nothing of it is taken for more than text."""
    def refused(*_: object) -> Overlaid:
        raise ConfigurationError("Remedy: `lakehouse <b>`, not `less")

    told = ask(create_app(store, reviewer=replace(reviewer(said), look_overlay=refused)), OVERLAY, headers=AMY).text
    assert "`lakehouse &lt;b&gt;`, not `less" in told
    assert prose("Remedy: `lakehouse <b>`.") == "Remedy: <code>lakehouse &lt;b&gt;</code>."


def test_what_differs_is_marked_in_the_value(app: Starlette) -> None:
    """Of two phones the digits that differ are marked, not by colour alone; names that have nothing in common are left whole."""
    text = ask(app, PAIR, headers=AMY).text
    assert "<td>503555<mark>0142</mark></td><td>503555<mark>9999</mark></td>" in text
    assert "<mark>MARY" not in text


def test_the_next_pair_is_one_step_away(store: Path, said: list[Decision]) -> None:
    """From a pair and from its decision a link leads to the pair that waits after it, from the last one to the queue alone."""
    one = reviewer(said)
    pairs = [{**one.queue(9).pairs[0], "patient_key_l": left, "patient_key_r": right} for left, right in (("a", "z"), ("aa", "bb"), ("cc", "dd"))]
    app = create_app(store, reviewer=replace(one, queue=lambda limit: Queue(one.queue(9).rules, pairs)))
    assert "left=cc&amp;right=dd" in ask(app, PAIR, headers=AMY).text
    assert "left=cc&amp;right=dd" in ask(app, "/review/pair", "POST", FORM | {"left": "bb", "right": "aa"}, AMY).text
    assert "Next pair" not in ask(app, "/review/pair?left=cc&right=dd", headers=AMY).text


def test_a_decision_is_the_stewards_own(app: Starlette, said: list[Decision]) -> None:
    """It carries the proven account, whatever the form says, and the newest decision that the form knew of."""
    answer = ask(app, "/review/pair", "POST", FORM | {"decided_by": "eve"}, AMY)
    assert answer.status == 200
    assert said == [Decision("aa", "bb", "link", "amy", "same passport", 3)]
    assert "Decision 4 is carried out" in answer.text


def test_forms_from_elsewhere_or_without_a_reason_decide_nothing(app: Starlette, said: list[Decision]) -> None:
    """A form sent from another site is refused with 403, one that lacks the choice or the reason with 400."""
    assert ask(app, "/review/pair", "POST", FORM, AMY | {"sec-fetch-site": "cross-site"}).status == 403
    assert ask(app, "/review/pair", "POST", FORM | {"reason": ""}, AMY).status == 400
    assert ask(app, "/review/pair", "POST", FORM | {"decision": "merge"}, AMY).status == 400
    assert said == []


@pytest.mark.parametrize(("error", "status"), [(ConfigurationError, 400), (ContractError, 409), (UnavailableError, 503)])
def test_what_hinders_is_told_by_status_and_words(store: Path, said: list[Decision], error: type[LakehouseError], status: int) -> None:
    """Asked or answered, of a pair or of an overlay: a wrong request, another's decision and a busy warehouse are told apart."""
    def hindered(*_: object) -> str:
        raise error("what hinders")

    form = {"record": "cc", "run": "7", "answer": "no_overlay", "reason": "a corrected record"}
    answering = create_app(store, reviewer=replace(reviewer(said), decide=hindered, answer=hindered))
    asking = create_app(store, reviewer=replace(reviewer(said), look=hindered, look_overlay=hindered))
    for told in (ask(answering, "/review/pair", "POST", FORM, AMY), ask(answering, "/review/overlay", "POST", form, AMY),
                 ask(asking, PAIR, headers=AMY), ask(asking, OVERLAY, headers=AMY)):
        assert (told.status, "what hinders" in told.text) == (status, True)


def test_the_second_of_two_stewards_is_told(store: Path, said: list[Decision]) -> None:
    """Where somebody decided meanwhile the pair is shown again with who and what, as a conflict."""
    def late(one: Decision) -> str:
        raise ContractError("identity: ben decided cannot_link on this pair (decision 4); nothing was written.")

    answer = ask(create_app(store, reviewer=replace(reviewer(said), decide=late)), "/review/pair", "POST", FORM, AMY)
    assert answer.status == 409
    assert "ben decided cannot_link" in answer.text
    assert "same passport" in answer.text
