"""Answers from the customers that were read ahead, beside what is remembered and what the source would say.

While they are fresh, who is among them is answered at once, unless the source itself was asked since; the rest is
asked for as always. Past that they count as owners past their life do: when the source fails, and no other way.
"""

from collections.abc import Callable

from bridge.lookup.answer import Answer, Freshness, Pending
from bridge.sdk.connector import AnyConnector, Call
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.threads.background import Wait
from bridge.storage.cache import Remembered
from bridge.storage.snapshot.keeper import Keeper
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Said, spoken


class ReadAhead:
    """What one connector's customers say about callers; `why_not` says why they cannot be read now."""

    def __init__(
        self,
        name: str,
        connector: AnyConnector,
        snapshot: CustomerSnapshot,
        why_not: Callable[[], str],
        wait: Wait | None = None,
    ) -> None:
        self.name = name
        self.snapshot = snapshot
        self.keeper = Keeper(name, connector, snapshot, why_not, wait=wait)
        self.only = snapshot.settings.only

    @property
    def trouble(self) -> str:
        """Why the customers cannot be read, or nothing."""
        return self.snapshot.trouble

    @property
    def knows_nobody_yet(self) -> bool:
        """Whether no reading is complete, and there is no other way to ask."""
        return self.only and self.snapshot.age is None

    def start(self, *, reads: bool) -> None:
        """Look for what was read by now, and read what is due from now on; without `reads` nothing is written."""
        if reads:
            self.keeper.start()
        else:
            self.snapshot.look()

    def begin(self, question: Call, remembered: Remembered | None) -> Pending | None:
        """Return the answer that needs nobody to be asked; None if the source, or what is remembered, comes first."""
        said = self._said(question)
        if said and said.is_fresh and not (remembered and remembered.at_once and remembered.age <= said.age):
            self._explain(question, said)
            return Pending(Answer(said.owners, Freshness.SNAPSHOT))
        return self._without_asking(question, said) if self.only else None

    def answer(self, question: Call) -> Pending:
        """Return the answer where there is no other way to ask, as with `only`."""
        return self.begin(question, None) or self._without_asking(question, None)

    def _without_asking(self, question: Call, said: Said | None) -> Pending:
        if said is None and self.snapshot.is_fresh:
            question.explain(f"{self.name}: not among the customers read ahead: nobody, for only is set")
            return Pending(Answer((), Freshness.SNAPSHOT))
        return Pending(self._unavailable(), lambda: self.instead(question, None))

    def instead(self, question: Call, remembered: Remembered | None) -> Answer | None:
        """Return what is said when the source has failed; None if that is nothing, or less than is remembered.

        "Nobody" ends with its freshness, as everywhere.
        """
        said = self._said(question)
        if said is None or (remembered and remembered.age <= said.age) or not (said.owners or said.is_fresh):
            return None
        self._explain(question, said)
        return Answer(said.owners, Freshness.SNAPSHOT if said.is_fresh else Freshness.STALE)

    def close(self) -> None:
        """Read no more."""
        self.keeper.close()

    def _said(self, question: Call) -> Said | None:
        return self.snapshot.says(question.caller, question.explain if question.explained else None)

    def _unavailable(self) -> SourceUnavailable:
        progress = self.snapshot.progress() or self.trouble
        return SourceUnavailable(f"the customers are not read ahead yet{f': {progress}' if progress else ''}")

    def _explain(self, question: Call, said: Said) -> None:
        if question.explained:
            past = "" if said.is_fresh else ", past its life, and the source cannot be asked"
            told = f"{len(said.owners)} owner(s), as read {spoken(said.age)} ago{past}"
            question.explain(f"{self.name}: among the customers read ahead: {told}")
