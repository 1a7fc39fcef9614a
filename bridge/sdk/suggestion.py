"""What somebody who mistyped a name probably meant.

A wrong guess is worse than none, since people follow it: a name counts as near only if a slip or two lead to it, or if
what was written is its beginning. The standard library's difflib cannot tell: `path` is as near to `auth` as `tkae` is
to `take`.
"""

from collections.abc import Iterable

_SHORTEST_BEGINNING = 4
_MOST_SLIPS = 3
_LETTERS_FOR_A_SLIP = 3  # a name of three to five letters is recognised through one slip, of six through two


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'timeout'?` for the known name nearest to `word`, or nothing if none is near."""
    meant = nearest(word, known)
    return f", did you mean '{meant}'?" if meant else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name nearest to `word`, None if none is near."""
    written = _folded(word)
    near = [(slips, name) for name in known if (slips := _distance(written, _folded(name))) is not None]
    return min(near)[1] if near else None


def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _distance(word: str, name: str) -> int | None:
    """Return how far a name is from what was written; None if too far to have been meant."""
    slips = _slips(word, name)
    near = slips <= min(_MOST_SLIPS, max(len(word), len(name)) // _LETTERS_FOR_A_SLIP)
    begun = len(word) >= _SHORTEST_BEGINNING and name.startswith(word)
    return slips if near or begun else None


def _slips(word: str, name: str) -> int:
    """Count letters left out, put in, replaced, or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(name) + 1))
    for i, letter in enumerate(word):
        last, before, row = before, row, [i + 1]
        for j, other in enumerate(name):
            best = min(before[j + 1] + 1, row[j] + 1, before[j] + (letter != other))
            if i and j and letter == name[j - 1] and word[i - 1] == other:
                best = min(best, last[j - 1] + 1)
            row.append(best)
    return row[-1]
