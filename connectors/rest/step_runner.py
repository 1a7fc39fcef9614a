"""One call's way through the steps of the rest connector."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bridge.sdk import Call, Deadline, Owner, SourceError
from connectors.rest.answer_rules import AnswerRules
from connectors.rest.config.steps import Step
from connectors.rest.records import RecordReader, Row, owners
from connectors.rest.request_sender import RequestSender, RestContext
from connectors.rest.spellings import NO_SPELLINGS, Spellings, TemplateSpellings
from connectors.rest.user_list import UserList

_PLACEHOLDER = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})+")


class StepRunner:
    """Asks the steps' requests for one call."""

    def __init__(self, context: RestContext, users: UserList | None, call: Call, deadline: Deadline) -> None:
        self._users = users
        self._config = config = context.config
        self._mask = context.mask
        self._call = call
        self._caller = TemplateSpellings(call.caller, config.region)
        hotline = TemplateSpellings(call.hotline, config.region).all if call.hotline else NO_SPELLINGS
        self._place = ""
        self._taken = frozenset(name for step in config.steps for name in step.take) - {"login"}
        explain = self._say if call.explained else None
        self._sender = RequestSender(
            context,
            AnswerRules(call.caller, context.mask.text, self._say),
            {"caller": self._caller.all, "hotline": hotline, **config.own_names()},
            deadline,
            config.max_requests,
            f"max_requests ({config.max_requests})",
            explain,
        )
        self._reader = RecordReader(call.caller, config.region, self._sender.check_time, explain)

    def owners(self) -> tuple[Owner, ...]:
        """Return the owners of the caller. Raises SourceError, naming the step."""
        rows: list[Row] = []
        for number, step in enumerate(self._config.steps, 1):
            self._place = _place(number, step)
            try:
                rows = self._after(step, rows, begins=number == 1)
            except SourceError as error:
                error.args = (self._mask.text(f"{self._place}: {error}"),)
                raise
        rows = self._users.complete(rows, self._tell) if self._users else rows
        found = owners(rows)
        if rows and not found:
            self._say("what was found has no owner")
        return found

    def _after(self, step: Step, rows: list[Row], *, begins: bool) -> list[Row]:
        """Return the rows that there are behind the step."""
        if begins:
            return self._found(step, {})
        if step.start == "otherwise" and any(value is not None for row in rows for value in row.values()):
            self._say("not asked: something has been found before")
            return rows
        if step.start:
            return rows + self._found(step, {})
        wanted = self._wanted(step)
        return (self._together if step.once else self._one_by_one)(step, rows, wanted) if rows else []

    def _wanted(self, step: Step) -> list[str]:
        """Return which names of a row the step's templates use."""
        used = (name.removeprefix("all.") for name in step.names if not step.once or name.startswith("all."))
        return sorted(self._taken.intersection(used) - set(step.for_each))

    def _one_by_one(self, step: Step, rows: Sequence[Row], wanted: Sequence[str]) -> list[Row]:
        """Make the step's request for every row; rows that began elsewhere, without its names, stay as they are."""
        result: list[Row] = []
        for row in rows:
            if not row.keys() >= set(wanted):
                result.append(row)
            elif missing := [name for name in row if row[name] is None and name in wanted]:
                self._say(f"not asked: there is no {', '.join(missing)}")
            else:
                result += [{**row, **more} for more in self._found(step, row)]
        return result

    def _together(self, step: Step, rows: Sequence[Row], wanted: Sequence[str]) -> list[Row]:
        """Make the step's request once for all rows but those that began elsewhere."""
        others = [row for row in rows if not row.keys() >= set(wanted)]
        meant = [row for row in rows if row.keys() >= set(wanted)]
        if not meant:
            return others
        every = {name: dict.fromkeys(row[name] for row in meant if row[name] is not None) for name in wanted}
        if missing := [f"all.{name}" for name, values in every.items() if not values]:
            self._say(f"not asked: nothing was found for {', '.join(missing)}")
            return others
        found = self._found(step, {"all": {name: list(values) for name, values in every.items()}})
        place = rows.index(meant[0])
        return others[:place] + found + others[place:]

    def _found(self, step: Step, names: Mapping[str, object]) -> list[Row]:
        """Make the request with each text of `for_each`, and within it with each form until a record counts."""
        caller = self._caller.certain if step.match == "exact" else self._caller.all
        if caller is None:
            self._say("not asked: the digits of this number may be somebody else's, and match: exact compares no more")
            return []
        result: list[Row] = []
        place = self._place
        name, values = next(iter(step.for_each.items()), ("", [""]))
        for value in values:
            self._place = _with_value(place, name, value)
            for form in _forms(step, caller):
                answers = self._sender.answers(step, {**names, "caller": caller, name: value, "form": form})
                rows, counted = self._reader.rows(step, answers)
                result += rows
                if counted:
                    break
        self._place = place
        return result

    def _say(self, line: str) -> None:
        self._tell(f"{self._place}: {line}")

    def _tell(self, line: str) -> None:
        if self._call.explained:
            self._call.explain(self._mask.text(line))


def _forms(step: Step, caller: Spellings) -> Iterator[str]:
    if step.forms is None:
        return iter([""])
    texts = [text for form in step.forms for text in (caller["all"] if form == "all" else [caller[form]])]
    return iter(dict.fromkeys(str(text) for text in texts if text))


def _place(number: int, step: Step) -> str:
    """Return what messages call the step: its number, and its path without what is put into it."""
    path = _PLACEHOLDER.sub("…", step.path.source)
    return f"step {number} ({path})" if path.strip("…") else f"step {number}"


def _with_value(place: str, name: str, value: str) -> str:
    """Add for which value of `for_each` the step is being made."""
    return f"{place}, {name} {value}" if name else place
