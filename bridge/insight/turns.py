"""How often somebody may have something done by hand, all processes of the machine together."""

from bridge.insight.client import AnswerRefused
from bridge.sdk.errors import SourceBusy
from bridge.sdk.shared import Turns


def take_turn(turns: Turns, most: int, word: str) -> None:
    """Count it as done now. Raises AnswerRefused with the `word` if it was done `most` times, or cannot be counted."""
    try:
        wait = turns.book(most, 0.0)
    except SourceBusy:
        wait = 1.0
    if wait > 0:
        raise AnswerRefused(word)
