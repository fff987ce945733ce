"""The column graph as a drawing: boxes in layers from left to right, columns as rows, made on the server, no script.

Layout: the longest path gives the layer, six barycentre sweeps the order within it. Built from escaped text only;
every edge of the drawing stands in the table below it, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from markupsafe import Markup, escape

from lineage.edges import DIRECT
from lineage.links import ColumnLink

BOXES = 25
ROWS_SHOWN = 12
_WIDTH, _GAP, _ROW, _SPACE, _MARGIN = 212, 60, 19, 18, 8
_NAME_LENGTH = 29


@dataclass
class _Box:
    asset: str
    columns: list[str] = field(default_factory=list)
    rank: int = 0
    x: int = 0
    y: int = 0

    @property
    def shown(self) -> list[str]:
        return self.columns[:ROWS_SHOWN]

    @property
    def hidden(self) -> int:
        return len(self.columns) - len(self.shown)

    @property
    def height(self) -> int:
        return _ROW * (1 + len(self.shown) + (1 if self.hidden else 0)) + 6


def draw(
    links: Sequence[ColumnLink], assets: Iterable[str], strong: frozenset[tuple[str, str]], title: str
) -> tuple[Markup, int]:
    """The drawing of the links among the first 25 assets, and how many assets are left out.

    `strong` are the columns asked about: edges that end or begin at them, and DIRECT, are drawn strong, all others
    pale.
    """
    ordered = list(dict.fromkeys(assets))
    kept = set(ordered[:BOXES])
    drawn = [link for link in links if link.src_asset in kept and link.asset in kept and link.src_asset != link.asset]
    boxes = _boxes(drawn, strong)
    layers = _layers(boxes, drawn)
    width, height = _place(boxes, layers)
    parts = [
        Markup('<svg class="graph" role="img" viewBox="0 0 {} {}" width="{}" height="{}" aria-label="{}">').format(
            width, height, width, height, title),
        Markup("<title>{}</title><desc>{} edges over {} assets; the table below has the same edges.</desc>").format(
            title, len(drawn), len(boxes)),
        *(_edge(link, boxes, bool(strong) and link.type == DIRECT) for link in _once(drawn)),
        *(_box(box, strong) for box in boxes.values()),
        Markup("</svg>"),
    ]
    return Markup("").join(parts), len(ordered) - len(kept)


def _boxes(links: Iterable[ColumnLink], strong: frozenset[tuple[str, str]]) -> dict[str, _Box]:
    boxes: dict[str, _Box] = {}
    for asset, column in sorted(strong):
        boxes.setdefault(asset, _Box(asset)).columns.append(column)
    for link in links:
        for asset, column in ((link.src_asset, link.src_col), (link.asset, link.column)):
            box = boxes.setdefault(asset, _Box(asset))
            if column not in box.columns:
                box.columns.append(column)
    return boxes


def _layers(boxes: dict[str, _Box], links: Iterable[ColumnLink]) -> dict[int, list[str]]:
    before, after = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for link in links:
        before[link.asset].add(link.src_asset)
        after[link.src_asset].add(link.asset)
    for _ in range(len(boxes)):  # longest path; assets form no cycle, so this settles
        for asset, box in boxes.items():
            box.rank = max((boxes[other].rank + 1 for other in before[asset]), default=0)
    layers: dict[int, list[str]] = defaultdict(list)
    for asset in sorted(boxes):
        layers[boxes[asset].rank].append(asset)
    position = {asset: place for layer in layers.values() for place, asset in enumerate(layer)}
    for sweep in range(6):
        forwards = sweep % 2 == 0
        near = before if forwards else after
        for rank in sorted(layers, reverse=not forwards):
            layers[rank].sort(key=lambda asset: (_mean([position[o] for o in near[asset]], position[asset]), asset))
            position.update({asset: place for place, asset in enumerate(layers[rank])})
    return layers


def _mean(places: Sequence[int], fallback: int) -> float:
    return sum(places) / len(places) if places else float(fallback)


def _place(boxes: dict[str, _Box], layers: dict[int, list[str]]) -> tuple[int, int]:
    tallest = max((sum(boxes[a].height + _SPACE for a in layer) for layer in layers.values()), default=0)
    for rank, layer in layers.items():
        y = _MARGIN
        for asset in layer:
            box = boxes[asset]
            box.x, box.y = _MARGIN + rank * (_WIDTH + _GAP), y
            y += box.height + _SPACE
    return 2 * _MARGIN + len(layers) * (_WIDTH + _GAP) - _GAP, tallest + 2 * _MARGIN - _SPACE


def _row_y(box: _Box, column: str) -> int:
    place = box.columns.index(column)
    return box.y + _ROW * (1 + min(place, len(box.shown))) + _ROW // 2 + 4


def _once(links: Iterable[ColumnLink]) -> list[ColumnLink]:
    """One line for each pair of columns and type: several kinds between the same two columns are one line."""
    seen: dict[tuple[str, str, str, str, str], ColumnLink] = {}
    for link in links:
        seen.setdefault((link.src_asset, link.src_col, link.asset, link.column, link.type), link)
    return list(seen.values())


def _edge(link: ColumnLink, boxes: dict[str, _Box], is_strong: bool) -> Markup:
    start, end = boxes[link.src_asset], boxes[link.asset]
    x1, y1 = start.x + _WIDTH, _row_y(start, link.src_col)
    x2, y2 = end.x, _row_y(end, link.column)
    css = f"{link.type.lower()} {'strong' if is_strong else 'pale'}"
    words = f"{link.src_asset}.{link.src_col} to {link.asset}.{link.column}: {link.subtype.lower().replace('_', ' ')}"
    return Markup('<path class="{}" d="M{} {}C{} {} {} {} {} {}"><title>{}</title></path>').format(
        css, x1, y1, x1 + _GAP // 2, y1, x2 - _GAP // 2, y2, x2, y2, words)


def _box(box: _Box, strong: frozenset[tuple[str, str]]) -> Markup:
    layer = box.asset.split(".", 1)[0]
    link = f"/asset/{quote(box.asset, safe='')}"
    parts = [
        Markup('<g class="box layer-{}"><rect x="{}" y="{}" width="{}" height="{}"/>').format(
            layer, box.x, box.y, _WIDTH, box.height),
        Markup('<rect class="head" x="{}" y="{}" width="{}" height="3"/>').format(box.x, box.y, _WIDTH),
        Markup('<a href="{}"><text class="name" x="{}" y="{}">{}<title>{}</title></text></a>').format(
            link, box.x + 8, box.y + 16, _cut(box.asset), box.asset),
    ]
    for place, column in enumerate(box.shown):
        css = "asked" if (box.asset, column) in strong else ""
        parts.append(Markup('<a href="{}/column/{}"><text class="{}" x="{}" y="{}">{}<title>{}</title></text></a>').format(
            link, quote(column, safe=""), css, box.x + 14, box.y + _ROW * (place + 1) + 17,
            _cut("rows" if column == "*" else column), column))
    if box.hidden:
        parts.append(Markup('<text class="more" x="{}" y="{}">and {} more</text>').format(
            box.x + 14, box.y + _ROW * (len(box.shown) + 1) + 17, box.hidden))
    return Markup("").join([*parts, Markup("</g>")])


def _cut(text: str) -> Markup:
    return escape(text if len(text) <= _NAME_LENGTH else text[: _NAME_LENGTH - 1] + "…")
