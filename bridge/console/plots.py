"""Where the bars and columns of the pictures stand, in units of the picture: the templates draw them as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bridge.config.values import OMICALL_WAITS

WIDTH = 1000
"""Units that stand for the time that OMICall waits, in a picture of steps."""

_LEAST = 4.0
_HEIGHT, _COLUMN, _GAP = 160.0, 62, 20


class Bar(NamedTuple):
    """A step of a trace: its place and length in the picture, when it was over, and what it did."""

    x: float
    width: float
    end: float
    took: float
    text: str


class Column(NamedTuple):
    """A class of a histogram: its place and height in the picture, and its name."""

    x: int
    y: float
    height: float
    width: int
    calls: int
    edge: float | None


def bars_of(trace: Mapping[str, Any]) -> list[Bar]:
    """Return a bar for each step of a trace."""
    return [_bar(step["begin"], step["end"], step["text"]) for step in trace["steps"]]


def _bar(begin: float, end: float, text: str) -> Bar:
    first, last = (min(moment / (OMICALL_WAITS * 1000), 1.0) * WIDTH for moment in (begin, end))
    width = max(last - first, _LEAST)
    return Bar(round(min(first, WIDTH - width), 1), round(width, 1), end, round(end - begin, 1), text)


def columns_of(histogram: Sequence[tuple[float | None, int]]) -> list[Column]:
    """Return a column for each class of a histogram; the largest is as high as the picture."""
    return list(_columns(histogram, max([count for _, count in histogram] or [0]) or 1))


def _columns(histogram: Sequence[tuple[float | None, int]], most: int) -> Iterator[Column]:
    for place, (edge, count) in enumerate(histogram):
        height = max(count / most * _HEIGHT, 2.0 if count else 0.0)
        yield Column(
            place * (_COLUMN + _GAP) + _GAP, round(_HEIGHT - height, 1), round(height, 1), _COLUMN, count, edge
        )
