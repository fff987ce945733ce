"""Pages to HTML: one template lays out every page; values come escaped from `cells`."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from orchestration.catalog import cells
from orchestration.catalog.view import Code, Facts, Figures, Heat, Page, Picture, Prose, Table

NAVIGATION = (
    ("/", "Overview"), ("/ledger", "Ledger"), ("/quarantine", "Quarantine"), ("/holds", "Holds"), ("/corrections", "Corrections"),
    ("/assets", "Assets"), ("/review", "Identity"), ("/trace", "Trace"), ("/log", "Log"),
)
LAYERS = ("landing", "raw", "staging", "canonical", "identity", "marts")
_SECTIONS = {Table: "table", Heat: "heat", Figures: "figures", Facts: "facts", Picture: "picture", Code: "code", Prose: "prose"}


def environment() -> Environment:
    """The templates, with everything escaped and nothing undefined."""
    env = Environment(
        loader=PackageLoader("orchestration.catalog"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    env.globals.update(
        navigation=NAVIGATION, layers=LAYERS, show=cells.show, prose=cells.prose, address=cells.address, status=cells.status,
        count=cells.count, shape=cells.status_shape, css=cells.status_class, kind_of=lambda section: _SECTIONS[type(section)])
    return env


def render(env: Environment, page: Page, path: str, query: Mapping[str, str], footer: str, names: Mapping[str, str]) -> str:
    """A page as HTML. `query` is kept in the addresses of sorted tables and twins; `names` are the facilities' names."""

    def with_query(**changes: str) -> str:
        kept = {name: value for name, value in {**query, **changes}.items() if value}
        return "?" + urlencode(kept) if kept else ""

    def zone_of(row: Mapping[str, object]) -> str:
        return str(row.get("zone") or page.zone)

    return env.get_template("page.html").render(
        page=page, path=path.rstrip("/") or "/", query=query, with_query=with_query, zone_of=zone_of, footer=footer, names=names)
