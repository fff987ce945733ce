"""Who may decide on the review page."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from orchestration.stewards import Stewards
from transforms.errors import ConfigurationError


def _basic(name: str, phrase: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{phrase}".encode()).decode()


def test_only_the_newest_phrase_of_an_admitted_steward_opens(tmp_path: Path) -> None:
    """A wrong phrase, an unknown name, an older phrase, a dismissed steward and no header at all prove nobody."""
    stewards = Stewards(tmp_path)
    older = stewards.admit("amy@example.org")
    phrase = stewards.admit("amy@example.org")
    assert stewards.who(_basic("amy@example.org", phrase)) == "amy@example.org"
    for header in (None, "", "Basic", "Basic %%%", _basic("amy@example.org", older), _basic("ben", phrase), _basic("amy@example.org", ""),
                   "Bearer " + phrase, "Basic " + base64.b64encode(b"amy@example.org").decode()):
        assert stewards.who(header) is None, header
    stewards.dismiss("amy@example.org")
    assert stewards.who(_basic("amy@example.org", phrase)) is None


def test_the_phrase_is_kept_nowhere(tmp_path: Path) -> None:
    """The file holds salted hashes that only its owner reads; two stewards with the same phrase would not look alike."""
    stewards = Stewards(tmp_path)
    phrases = [stewards.admit("amy"), stewards.admit("ben")]
    text = stewards.path.read_text()
    assert not any(phrase in text for phrase in phrases)
    assert stat.S_IMODE(stewards.path.stat().st_mode) == 0o600


def test_a_name_that_the_log_cannot_hold_is_refused(tmp_path: Path) -> None:
    """Spaces and colons have no place in a steward's name, and nobody unknown is dismissed."""
    for name in ("Amy Smith", "amy:smith", ""):
        with pytest.raises(ConfigurationError):
            Stewards(tmp_path).admit(name)
    with pytest.raises(ConfigurationError):
        Stewards(tmp_path).dismiss("amy")
