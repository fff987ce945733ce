"""The options by which commands choose facilities and dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from transforms.errors import ConfigurationError

if TYPE_CHECKING:
    from assets.root import Root
    from assets.stores.control import Partition

Facility = typer.Option(None, "--facility", "-f", help="Facility; may be repeated. Default: all that sent something.")
FromDate = typer.Option(None, "--from", metavar="DATE", help="First batch date (YYYY-MM-DD). Default: the first that was landed.")
ToDate = typer.Option(None, "--to", metavar="DATE", help="Last batch date. Default: --from, or the last that was landed.")


def parse_day(text: str, option: str) -> date:
    """Read a date option. Raises ConfigurationError naming the option."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ConfigurationError(f"{option} {text}: not a date. Remedy: YYYY-MM-DD.") from None


def chosen_partitions(root: Root, facilities: Sequence[str] | None, first: str | None, last: str | None) -> list[Partition]:
    """Give the partitions that the options name; without a date, those of the landed deliveries.

    Raises ConfigurationError where nothing is chosen.
    """
    if first is None and last is None:
        landed = [(facility, day) for facility, day, _ in root.landing.partitions() if not facilities or facility in facilities]
        if not landed:
            raise ConfigurationError("Nothing is landed for this choice. Remedy: lakehouse land PATH --facility F --source S")
        return landed
    start = parse_day(first or last or "", "--from")
    end = parse_day(last or first or "", "--to")
    if end < start:
        raise ConfigurationError(f"--to {end} lies before --from {start}.")
    names = list(facilities or root.registry.facility_ids)
    return [(facility, start + timedelta(days=offset)) for offset in range((end - start).days + 1) for facility in names]
