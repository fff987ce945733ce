"""A batch date in an address: `/facility/riverside/2026-03-12`."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class BatchDateConvertor(Convertor[str]):
    """ISO dates only, so that `/asset/x/column/y` is never taken for a partition."""

    regex = r"\d{4}-\d\d-\d\d"

    def convert(self, value: str) -> str:
        """The date's text as it stands."""
        return value

    def to_string(self, value: str) -> str:
        """The date's text as it stands."""
        return value


def register() -> None:
    """Make the convertor known to Starlette; doing so twice changes nothing."""
    register_url_convertor("batch_date", BatchDateConvertor())
