"""The waterfall of a score, drawn: from the odds before any evidence, one bar a comparison, to the score.

Bars to the right speak for one human, bars to the left against. The table beside it has the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

_ROW, _LABEL, _WIDTH, _END = 24, 176, 740, 64
_WORDS = {"before": "before any evidence", "given": "given name", "family": "family name", "middle": "middle name", "gender": "sex",
          "ssn": "social security number", "member": "member number", "names": "how common the names"}


def draw_waterfall(rows: Sequence[Mapping[str, object]]) -> Markup:
    """Draw the rows of `transforms.identity.evidence.waterfall`; comparisons of which nothing is known are left out."""
    steps = _steps(rows)
    low, high = min(0.0, *(min(one[2], one[3]) for one in steps)), max(0.0, *(max(one[2], one[3]) for one in steps))
    scale = (_WIDTH - _LABEL - _END) / ((high - low) or 1.0)

    def place(bits: float) -> float:
        return round(_LABEL + (bits - low) * scale, 1)

    height = _ROW * len(steps) + 8
    parts = [
        Markup('<svg class="fall" role="img" viewBox="0 0 {} {}" width="{}" height="{}" aria-label="Waterfall of the score">').format(
            _WIDTH, height, _WIDTH, height),
        Markup('<line class="zero" x1="{0}" x2="{0}" y1="0" y2="{1}"></line>').format(place(0.0), height),
    ]
    for number, (label, kind, before, after) in enumerate(steps):
        top = _ROW * number + 4
        start, end = sorted((place(before), place(after)))
        figure = after if kind == "sum" else after - before
        parts.append(Markup(
            '<text x="0" y="{}">{}</text><rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{} {:+.1f} bits</title></rect>'
            '<text class="bits" x="{}" y="{}">{:+.1f}</text>').format(
            top + 15, label, kind, start, top + 2, max(end - start, 1.5), _ROW - 8, label, figure, end + 6, top + 15, figure))
    return Markup("").join([*parts, Markup("</svg>")])


def _steps(rows: Sequence[Mapping[str, object]]) -> list[tuple[str, str, float, float]]:
    """Give label, kind (up, down or sum), and the totals before and after of each row to draw."""
    steps: list[tuple[str, str, float, float]] = []
    total = 0.0
    for row in rows:
        bits, after = float(str(row["bits"])), float(str(row["total"]))
        if row["level"] != "unknown":
            name = str(row["comparison"])
            steps.append((_WORDS.get(name, name.replace("_", " ")), "up" if bits >= 0 else "down", after - bits, after))
        total = after
    return [*steps, ("score", "sum", 0.0, total)]
