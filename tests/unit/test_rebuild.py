"""Job `rebuild_slices`: which slices a request names, and which requests are refused before anything is written."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration.rebuild import SlicesToRebuild, service_dates, touches
from transforms.errors import ConfigurationError

ROOT: Any = SimpleNamespace(registry=SimpleNamespace(facility_ids=("north", "south")))


def test_both_ends_of_the_range_are_rebuilt() -> None:
    """A range names every day from the first to the last, in every mart, touched by no batch."""
    days = service_dates(ROOT, SlicesToRebuild(facility_id="north", service_date_from="2026-02-27", service_date_to="2026-03-01"))
    assert days == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    rows = touches("north", days, 7).to_pylist()
    assert len(rows) == 5 * 3
    assert {(row["facility_id"], row["by_facility_id"], row["by_batch_date"], row["run_seq"]) for row in rows} == {("north", None, None, 7)}


@pytest.mark.parametrize(("facility", "first", "last", "said"), [
    ("east", "2026-01-01", "2026-01-02", "Unknown facility"), ("north", "soon", "2026-01-02", "not dates"),
    ("north", "2026-01-02", "2026-01-01", "no range"), ("north", "1990-01-01", "2026-01-01", "no range"),
])
def test_a_wrong_request_is_refused(facility: str, first: str, last: str, said: str) -> None:
    """An unknown facility, a word that is no date, a range that runs backwards or is endless: refused with a remedy."""
    with pytest.raises(ConfigurationError, match=said) as refused:
        service_dates(ROOT, SlicesToRebuild(facility_id=facility, service_date_from=first, service_date_to=last))
    assert "Remedy" in str(refused.value)
