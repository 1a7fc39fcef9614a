"""What somebody who mistyped a name probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'timeout'?` for the known name nearest to `word`, or nothing if none is near."""
    folded = {_folded(name): name for name in known}
    near = get_close_matches(_folded(word), folded, n=1, cutoff=0.6)
    return f", did you mean '{folded[near[0]]}'?" if near else ""


def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
