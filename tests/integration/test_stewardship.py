"""Decisions of stewards from end to end: what is refused, what the audit log holds, and who counts as another steward."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from assets.identity import resolution_settings
from assets.session import Session
from assets.stores.catalog import CatalogStore
from assets.stores.identity_decisions import Decision
from assets.stores.identity_overlay_answers import OverlayAnswer
from orchestration import stewardship
from orchestration.cli.identity import _evidence
from orchestration.cli.identity_decisions import _decide
from tests.integration.catalog_world import KEY
from tests.sql.identity_world import OTHER, IdentityWorld, identity_root, patient
from transforms.errors import ConfigurationError, ContractError, UnavailableError
from transforms.identity.policy_file import load_policy

WHY = "Amelia Kowalchuk showed her passport"


@pytest.fixture
def world() -> IdentityWorld:
    """Two records of one human, linked."""
    world = IdentityWorld()
    world.put(patient("a"), patient("b", facility_id="hillside"))
    world.resolve()
    return world


@pytest.fixture
def root(world: IdentityWorld, tmp_path: Path) -> Any:
    """A root whose warehouse is that world's, with an audit log."""
    return identity_root(world, tmp_path, catalog=lambda: CatalogStore(tmp_path / "audit.sqlite", KEY))


def _say(root: Any, decision: str = "cannot_link", by: str = "amy", reason: str = WHY, seen: int = 0, reviewers: int = 1) -> object:
    settings: Any = SimpleNamespace(memory="1GB", lock_wait_seconds=1, identity_reviewers=reviewers)
    return stewardship.decide(root, settings, Decision("b", "a", decision, by, reason, seen))


def _logged(root: Any) -> list[tuple[str, str]]:
    root.catalog().close()
    with sqlite3.connect(root.home / "audit.sqlite") as log:
        bodies = [body for (body,) in log.execute("select body from entry order by seq")]
    assert not any("Kowalchuk" in body or '"a"' in body for body in bodies)
    return [(entry["kind"], entry["actor"]) for entry in map(json.loads, bodies) if entry["kind"].startswith("identity.")]


def test_a_decision_is_carried_out_and_audited(world: IdentityWorld, root: Any) -> None:
    """An unlink parts the two at once; the log names the steward and neither a key nor the reason."""
    _say(root)
    assert world.person("a") != world.person("b")
    assert _logged(root) == [("identity.unlink", "amy")]


def test_records_of_an_earlier_version_are_not_decided_about(world: IdentityWorld, root: Any) -> None:
    """Before the first run of a version has given the records their new column, a decision is refused with the remedy, and nothing is written."""
    world.warehouse.execute("alter table identity.patient_features drop column address_unit")
    with pytest.raises(UnavailableError, match="lack address_unit. Remedy: run `lakehouse materialize`"):
        _say(root)
    assert world.rows("select count(*) from identity.decision") == [(0,)]
    assert _logged(root) == []


@pytest.mark.parametrize("unfit", [{"reason": " "}, {"reason": "x" * 4001}, {"by": "Amy Jones"}, {"by": ""}])
def test_what_the_log_could_not_hold_is_not_done(world: IdentityWorld, root: Any, unfit: dict[str, str]) -> None:
    """A reason without words or without end and a name that is no account are refused before anything happens, and not repeated."""
    with pytest.raises(ConfigurationError) as refused:
        _say(root, **unfit)
    assert "Jones" not in str(refused.value)
    assert world.rows("select count(*) from identity.decision") == [(0,)]
    assert world.person("a") == world.person("b")
    assert _logged(root) == []


def test_no_decision_is_without_its_entry(world: IdentityWorld, root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log cannot be written nothing is decided; where the resolution dies the decision stands in the log already."""
    def die(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(stewardship, "_note", die)
        with pytest.raises(OSError, match="no space"):
            _say(root)
    assert world.rows("select count(*) from identity.decision") == [(0,)]
    with monkeypatch.context() as patched:
        patched.setattr(stewardship, "resolve_changes", die)
        with pytest.raises(OSError, match="no space"):
            _say(root)
    assert world.rows("select decision, decided_by from identity.decision") == [("cannot_link", "amy")]
    assert _logged(root) == [("identity.unlink", "amy")]
    world.run_seq += 1
    world.resolve()
    assert world.person("a") != world.person("b")


def test_nobody_is_judged_before_a_policy_holds(world: IdentityWorld, root: Any) -> None:
    """A decision and a run under a policy whose day has not come are refused before anything is written, however the run was started."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    text = yaml.safe_dump({"policies": {"strict": {"version": 7, "owner": "registry", "effective_date": yesterday.date() + timedelta(days=9), "rules": []}}})
    root.policy = lambda on: load_policy("strict", text, on=on)
    with pytest.raises(ConfigurationError, match="effective_date of policy strict, version 7"):
        _say(root)
    assert world.rows("select count(*) from identity.decision") == [(0,)]
    assert _logged(root) == []
    root.begin = lambda *_: pytest.fail("a run was begun")
    with pytest.raises(ConfigurationError, match="judges nobody"):
        Session(root, "one", "pipeline", yesterday).step("raw", ["lakeside|2026-01-05"])


def test_a_run_goes_by_the_policy_of_the_day_on_which_it_began(world: IdentityWorld, root: Any) -> None:
    """A run that began yesterday is judged by yesterday's version, whenever its identity step comes; one that begins today by today's."""
    today = datetime.now(UTC).date()
    said = [{"version": 7 + place, "owner": "registry", "effective_date": today - timedelta(days=days), "rules": []} for place, days in enumerate((9, 0))]
    root.policy = lambda on: load_policy("strict", yaml.safe_dump({"policies": {"strict": said}}), on=on)
    versions = [resolution_settings(root, day).policy.version.split("-")[1] for day in (today - timedelta(days=1), today)]
    assert versions == ["7", "8"]


def test_the_second_of_two_leaves_no_entry(root: Any) -> None:
    """A steward who did not see the decision of another is told, and the log holds the first alone."""
    _say(root)
    with pytest.raises(ContractError, match="amy decided cannot_link"):
        _say(root, "link", by="ben")
    assert _logged(root) == [("identity.unlink", "amy")]


def _overlaid(world: IdentityWorld) -> int:
    """Give record `a` another human's content; gives the run that raised it."""
    world.put(patient("a", **OTHER, postal_code="10001"))
    world.resolve()
    return world.run_seq


def _answer(root: Any, run_seq: int, answer: str = "no_overlay", by: str = "amy", reason: str = WHY, seen: int = 0) -> int:
    settings: Any = SimpleNamespace(lock_wait_seconds=1)
    return stewardship.answer_overlay(root, settings, OverlayAnswer("a", run_seq, answer, by, reason, seen))


def test_an_overlay_is_answered_once_and_audited(world: IdentityWorld, root: Any) -> None:
    """An answer is in the log, without key and reason; the second steward is told and leaves no entry, and who saw the first may answer anew."""
    run = _overlaid(world)
    number = _answer(root, run)
    with pytest.raises(ContractError, match=f"amy answered no_overlay.*--seen {number}"):
        _answer(root, run, "overlay", by="ben")
    assert _logged(root) == [("identity.overlay", "amy")]
    assert _answer(root, run, "overlay", by="ben", seen=number) == number + 1
    assert world.rows("select answer, decided_by, reason from identity.overlay_answer order by answer_seq") == [
        ("no_overlay", "amy", WHY), ("overlay", "ben", WHY)]


@pytest.mark.parametrize("unfit", [{"reason": " "}, {"reason": "x" * 4001}, {"by": "Amy Jones"}, {"answer": "maybe"}, {"run_seq": 99}])
def test_an_answer_that_cannot_be_is_not_taken(world: IdentityWorld, root: Any, unfit: dict[str, Any]) -> None:
    """What the log could not hold, an answer that is none and an overlay that was never raised are refused, and nothing is written."""
    with pytest.raises(ConfigurationError) as refused:
        _answer(root, **({"run_seq": _overlaid(world)} | unfit))
    assert "Jones" not in str(refused.value)
    assert world.rows("select count(*) from identity.overlay_answer") == [(0,)]
    assert _logged(root) == []


def test_no_answer_is_without_its_entry(world: IdentityWorld, root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log cannot be written no answer is taken."""
    run, catalog = _overlaid(world), root.catalog
    root.catalog = lambda: pytest.fail.Exception  # no context manager: whoever opens the log dies
    with pytest.raises((AttributeError, TypeError)):
        _answer(root, run)
    root.catalog = catalog
    assert world.rows("select count(*) from identity.overlay_answer") == [(0,)]


def test_the_command_hides_another_stewards_opinion(world: IdentityWorld, root: Any, monkeypatch: pytest.MonkeyPatch,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    """`identity review --pair` says that another has given an opinion; which, once the account has given its own."""
    world.warehouse.execute("create table canonical.patient (fact_key varchar, identifier_value varchar)")
    world.warehouse.execute("alter table identity.patient_features add column address_street varchar")

    @contextmanager
    def asked(_: object) -> Iterator[object]:
        yield world.warehouse

    monkeypatch.setattr("orchestration.settings.load_settings", SimpleNamespace)
    monkeypatch.setattr("orchestration.opening.open_root", lambda settings: root)
    monkeypatch.setattr("orchestration.asking.ask_warehouse", asked)
    monkeypatch.setattr("orchestration.cli.identity_decisions.account", lambda: "ben")
    _say(root, by="amy", reviewers=2)
    _evidence("b", "a", as_json=False)
    blind = capsys.readouterr().out
    assert "1 other stewards have given an opinion" in blind
    assert "amy" not in blind
    _say(root, "link", by="ben", reviewers=2)
    _evidence("b", "a", as_json=False)
    assert "amy says: cannot_link" in capsys.readouterr().out


def test_one_steward_is_not_two(root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two must say the same a name by --actor is refused, and the account is the system's, whatever the environment calls it."""
    said: list[Decision] = []
    monkeypatch.setattr("orchestration.settings.load_settings", lambda: SimpleNamespace(identity_reviewers=2))
    monkeypatch.setattr("orchestration.opening.open_root", lambda settings: root)
    monkeypatch.setattr("orchestration.stewardship.decide", lambda root, settings, one: said.append(one))
    with pytest.raises(ConfigurationError, match="--actor"):
        _decide("a", "b", "link", WHY, "ben", 0)
    monkeypatch.setenv("LOGNAME", "ben")
    monkeypatch.setenv("USER", "ben")
    _decide("a", "b", "link", WHY, "", 0)
    assert [one.decided_by for one in said] not in ([], ["ben"])
