"""One call's way through the steps of the rest connector.

"Found" means an owner who counts: behind all steps that his row has to pass, and among the users. What is known when
something fails, or takes too long, is told all the same: see `Call.so_far`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from bridge.sdk import Call, Deadline, Owner, SourceError, UnexpectedAnswer
from connectors.rest.answer_rules import AnswerRules
from connectors.rest.config.steps import Step
from connectors.rest.fan_out import FanOut, HelperPlaces
from connectors.rest.numbered_step import NumberedStep, numbered
from connectors.rest.records import RECORD, RecordReader, Row, TakenRows, followed, made_of, owners
from connectors.rest.request_sender import RequestSender, RestContext
from connectors.rest.spellings import NO_SPELLINGS, Spellings, TemplateSpellings, of_hotline
from connectors.rest.user_list import UserList


class StepRunner:
    """Asks the steps' requests for one call."""

    def __init__(
        self, context: RestContext, users: UserList | None, places: HelperPlaces, call: Call, deadline: Deadline
    ) -> None:
        config = context.config
        self._users = users
        self._places = places
        self._call = call
        self._mask = context.mask
        self._caller = TemplateSpellings(call.caller, config.region)
        hotline = of_hotline(call.hotline, config.region) if call.hotline else NO_SPELLINGS
        names = {"caller": self._caller.all, "hotline": hotline, **config.own_names()}
        limit = f"max_requests ({config.max_requests})"
        self._sender = RequestSender(context, names, deadline, config.max_requests, limit, call.explained)
        self._steps = numbered(config.steps)
        later = {name for step in self._steps for name in step.wanted}
        self._reader = RecordReader(call.caller, config.region, self._sender.turn, later=later)
        self._known: dict[tuple[int, str], list[Row]] = {}
        self._told: set[str] = set()
        self._problems: list[SourceError] = []
        self._cut_off: list[str] = []

    def owners(self) -> tuple[Owner, ...]:
        """Return the owners of the caller. Raises SourceError, naming the step, if not all of them are known."""
        found = self._counting(self._rows())
        if self._problems:
            self._call.so_far(found)
            raise next((one for one in self._problems if getattr(one, "retry_after", None)), self._problems[0])
        if self._cut_off and not found:
            raise UnexpectedAnswer(self._cut_off[0])
        return found

    def _rows(self) -> list[Row]:
        """Return the rows that there are behind all steps."""
        rows: list[Row] = []
        behind = self._steps
        while behind:
            first, behind = behind[0], behind[1:]
            rows = self._begun(first, rows, behind)
            following = next((at for at, step in enumerate(behind) if step.settings.start), len(behind))
            rows = self._followed(behind[:following], rows)
            behind = behind[following:]
        return rows

    def _begun(self, step: NumberedStep, rows: list[Row], behind: Sequence[NumberedStep]) -> list[Row]:
        """Return the rows that there are behind a step that begins anew."""
        if step.settings.start == "otherwise":
            if rows and self._counting(self._followed([later for later in behind if not later.settings.start], rows)):
                self._say(step.place, "not asked: an owner who counts has been found before")
                return rows
            if self._problems:
                self._say(step.place, "not asked: it is not known whether an owner who counts has been found before")
                return rows
            rows = []
        try:
            return rows + self._found(step, {})
        except SourceError as error:
            if not rows:
                raise
            self._problems.append(error)
            return rows

    def _followed(self, steps: Sequence[NumberedStep], rows: list[Row]) -> list[Row]:
        """Return what becomes of the rows in steps of which none begins anew."""
        for once, group in groupby(steps, lambda step: step.settings.once):
            if once:
                for step in group:
                    rows = self._together(step, rows) if rows else []
            else:
                rows = self._one_by_one(list(group), rows)
        return rows

    def _one_by_one(self, steps: Sequence[NumberedStep], rows: Sequence[Row]) -> list[Row]:
        """Make the steps' requests for every row, a few rows at a time; what fails does not lose the others."""

        def work(row: Row, stage: int) -> list[Row]:
            return self._behind(steps[stage], row)

        fan_out = FanOut(self._places, work, len(steps), partial(self._tell_so_far, steps[-1].number))
        found, failures = fan_out.run(rows)
        self._problems += failures
        return found

    def _behind(self, step: NumberedStep, row: Row) -> list[Row]:
        """Return what the step makes of a row; one that began elsewhere, without its names, stays as it is."""
        if not step.concerns(row):
            return [row]
        if missing := [name for name in row if row[name] is None and name in step.wanted]:
            self._say(step.place, f"not asked: there is no {', '.join(missing)}")
            return []
        used = {name: row[name] for name in sorted(step.wanted)}
        return [followed(row, more) for more in self._found(step, used)]

    def _together(self, step: NumberedStep, rows: Sequence[Row]) -> list[Row]:
        """Make the step's request once for all rows but those that began elsewhere."""
        others = [row for row in rows if not step.concerns(row)]
        meant = [row for row in rows if step.concerns(row)]
        if not meant:
            return others
        wanted = sorted(step.wanted)
        every = {name: dict.fromkeys(row[name] for row in meant if row[name] is not None) for name in wanted}
        if missing := [f"all.{name}" for name, values in every.items() if not values]:
            self._say(step.place, f"not asked: nothing was found for {', '.join(missing)}")
            return others
        names = {"all": {name: list(values) for name, values in every.items()}}
        found = made_of(self._found(step, names), meant)
        place = rows.index(meant[0])
        return others[:place] + found + others[place:]

    def _found(self, step: NumberedStep, names: Mapping[str, object]) -> list[Row]:
        """Return what the step finds with these names: it is made once with the same ones. Raises SourceError."""
        key = (step.number, repr(names))
        if key not in self._known:
            self._known[key] = self._asked(step, names)
        return self._known[key]

    def _asked(self, step: NumberedStep, names: Mapping[str, object]) -> list[Row]:
        """Make the request with each text of `for_each`. Raises SourceError if that yields no row, but a failure."""
        settings = step.settings
        caller = self._caller.certain if settings.match == "exact" else self._caller.all
        if caller is None:
            why = "the digits of this number may be somebody else's, and match: exact compares no more"
            self._say(step.place, f"not asked: {why}")
            return []
        rows: list[Row] = []
        name, values = next(iter(settings.for_each.items()), ("", [""]))
        for value in values:
            place = f"{step.place}, {name} {value}" if name else step.place
            try:
                for reading in self._readings(settings, caller, {**names, name: value}, place):
                    rows += self._taken(reading, place)
            except SourceError as error:
                error.args = (self._mask.text(f"{place}: {error}"),)
                if not rows:
                    raise
                self._problems.append(error)
                break
        return rows

    def _readings(
        self, settings: Step, caller: Spellings, names: Mapping[str, object], place: str
    ) -> Iterator[TakenRows]:
        """Make the request with each form until one yields something that may lead to an owner."""
        rules = AnswerRules(self._call.caller, self._mask.text, partial(self._hear, place))
        reader = replace(self._reader, explain=partial(self._hear, place)) if self._call.explained else self._reader
        for form in _forms(settings, caller):
            answers = self._sender.answers(settings, {**names, "caller": caller, "form": form}, rules)
            reading = reader.read(settings, answers)
            yield reading
            if reading.counted and (not settings.take or _holds_something(self._completed(reading.rows))):
                return

    def _taken(self, reading: TakenRows, place: str) -> list[Row]:
        """Return the rows of an answer; take note of what of it is not known."""
        if reading.problem:
            reading.problem.args = (self._mask.text(f"{place}: {reading.problem}"),)
            self._problems.append(reading.problem)
        if reading.cut_off:
            self._cut_off.append(
                f"{place}: {reading.cut_off} records came, as many as there can be at once, and none of the caller's "
                "has an owner who counts: there may be others that did not come"
            )
        return reading.rows

    def _tell_so_far(self, number: int, rows: list[Row]) -> None:
        """Tell which owners are known: those of rows that no later step concerns."""
        later = [step for step in self._steps if step.number > number and not step.settings.start]
        known = [row for row in rows if not any(step.concerns(row) for step in later)]
        if known:
            self._call.so_far(owners(self._completed(known)))

    def _counting(self, rows: Sequence[Row]) -> tuple[Owner, ...]:
        """Return the owners that count, and explain."""
        found = owners(self._completed(rows, explained=True))
        if rows and not found:
            self._tell("what was found has no owner who counts")
        return found

    def _completed(self, rows: Sequence[Row], *, explained: bool = False) -> Sequence[Row]:
        """Return the rows with what the list of users adds, without those of whom it does not know."""
        return self._users.complete(rows, self._tell if explained else _unheard) if self._users else rows

    def _say(self, place: str, line: str) -> None:
        self._tell(f"{place}: {line}")

    def _tell(self, line: str) -> None:
        """Explain why a row goes no further, once: rows may pass steps ahead of `start: otherwise`, and behind it."""
        if self._call.explained and line not in self._told:
            self._told.add(line)
            self._call.explain(self._mask.text(line))

    def _hear(self, place: str, line: str) -> None:
        """Explain what becomes of a request."""
        if self._call.explained:
            self._call.explain(self._mask.text(f"{place}: {line}"))


def _unheard(_line: str) -> None:
    """Drop an explanation."""


def _holds_something(rows: Sequence[Row]) -> bool:
    return any(value is not None and name != RECORD for row in rows for name, value in row.items())


def _forms(step: Step, caller: Spellings) -> Iterator[str]:
    if step.forms is None:
        return iter([""])
    texts = [text for form in step.forms for text in (caller["all"] if form == "all" else [caller[form]])]
    return iter(dict.fromkeys(str(text) for text in texts if text))
