"""How the figures are summed up and shown, the same for all scripts."""

import math
from collections.abc import Iterable, Sequence


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of texts in columns, the first one to the left and the others to the right."""
    lines = [heading, *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]))


def verdict(what: str, reached: float, *, least: float | None = None, most: float | None = None) -> None:
    """Print a figure beside its target."""
    good = (least is None or reached >= least) and (most is None or reached <= most)
    target = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"{what}: {reached:.2f} ({target}): {'PASS' if good else 'short of the target'}")
