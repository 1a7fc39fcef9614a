"""One call's way through the steps of the rest connector."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from bridge.connector import Call, Owner
from bridge.deadline import Deadline
from bridge.errors import SourceError, SourceUnavailable, UnexpectedAnswer
from bridge.phone import PhoneNumber
from connectors.answers import NOBODY, Judging
from connectors.auth import Authentication
from connectors.http import HttpClient, Request, Response
from connectors.masking import Mask
from connectors.records import Reading, Row, owners
from connectors.request_template import header_text
from connectors.rest_config import RestConfig
from connectors.steps import FORMS, Step


class _Forms(dict[str, object]):
    """The spellings of a number for templates; `{% if hotline %}` tells whether there is one."""

    def __init__(self, number: PhoneNumber | None) -> None:
        super().__init__({form: getattr(number, form, "") for form in FORMS})
        self["forms"] = list(number.forms) if number else []

    def __bool__(self) -> bool:
        return bool(self["e164"])


class Lookup:
    """Asks the steps' requests for one call, each different request once."""

    def __init__(
        self,
        config: RestConfig,
        client: HttpClient,
        auth: Authentication,
        mask: Mask,
        call: Call,
        deadline: Deadline,
    ) -> None:
        self._config = config
        self._client = client
        self._auth = auth
        self._mask = mask
        self._call = call
        self._deadline = deadline
        self._asked: dict[object, Response] = {}
        self._sent = 0
        self._place = ""
        explain = self._say if call.explained else None
        self._judging = Judging(call.caller, mask.text, self._say)
        self._reading = Reading(call.caller, config.region, self._check_time, explain)

    def owners(self) -> tuple[Owner, ...]:
        """Return the owners of the caller. Raises SourceError, naming the step."""
        rows: list[Row] = [{}]
        for number, step in enumerate(self._config.steps, 1):
            self._place = f"step {number} ({step.path.source})" if step.path.source else f"step {number}"
            try:
                rows = self._through(step, rows) if rows else []
            except SourceError as error:
                error.args = (self._mask.text(f"{self._place}: {error}"),)
                raise
        found = owners(rows)
        if rows and not found:
            self._say("what was found has no owner")
        return found

    def _through(self, step: Step, rows: Sequence[Row]) -> list[Row]:
        """Make the step's requests for every row and return the rows that come of it."""
        if step.once:
            found = self._all(rows)
            missing = [name for name in step.names if name.startswith("all.") and not found[name.removeprefix("all.")]]
            if missing:
                self._say(f"not asked: nothing was found for {', '.join(missing)}")
                return []
            return self._found(step, {"all": found})
        result: list[Row] = []
        for row in rows:
            if missing := [name for name in row if row[name] is None and name in step.names]:
                self._say(f"not asked: there is no {', '.join(missing)}")
                continue
            result += [{**row, **more} for more in self._found(step, row)]
        return result

    @staticmethod
    def _all(rows: Sequence[Row]) -> dict[str, list[str | int]]:
        """Turn the rows into one list of different values for each name."""
        names = dict.fromkeys(name for row in rows for name in row)
        every = {name: [row[name] for row in rows] for name in names}
        return {name: [value for value in dict.fromkeys(values) if value is not None] for name, values in every.items()}

    def _found(self, step: Step, names: Mapping[str, object]) -> list[Row]:
        """Make the request with each text of `for_each`, and within it with each form until a record counts."""
        result: list[Row] = []
        name, values = next(iter(step.for_each.items()), ("", [""]))
        for value in values:
            for form in self._forms(step):
                answer = self._judging.data(step, self._ask(step, {**names, name: value, "form": form}))
                if answer is NOBODY:
                    continue
                rows, counted = self._reading.rows(step, answer)
                result += rows
                if counted:
                    break
        return result

    def _forms(self, step: Step) -> Iterator[str]:
        if step.forms is None:
            return iter([""])
        caller = self._call.caller
        texts = [text for form in step.forms for text in (caller.forms if form == "all" else [getattr(caller, form)])]
        return iter(dict.fromkeys(text for text in texts if text))

    def _ask(self, step: Step, names: Mapping[str, object]) -> Response:
        """Send the request; if the answer says that the sign-in has ended, sign in and ask once more."""
        request = self._request(step, names)
        key = (request.method, request.url, request.query, tuple(sorted(request.headers.items())), request.body)
        if key not in self._asked:
            signed = self._auth.apply(request, self._deadline)
            response = self._send(signed, request)
            if self._auth.expired(response) and self._auth.renew(signed, self._deadline):
                self._say("signed in again")
                request = self._request(step, names)
                response = self._send(self._auth.apply(request, self._deadline), request)
            self._asked[key] = response
        return self._asked[key]

    def _request(self, step: Step, names: Mapping[str, object]) -> Request:
        known = {**names, **self._fixed_names}
        if "login" in step.names or any("login" in header.names for header in self._config.headers.values()):
            known["login"] = self._auth.names(self._deadline)
        headers = {name: header_text(name, header.render(known)) for name, header in self._config.headers.items()}
        if "accept" not in map(str.lower, headers):
            headers["Accept"] = "application/json"
        return step.build(self._config.base_url, known, headers)

    @cached_property
    def _fixed_names(self) -> Mapping[str, object]:
        config = self._config
        caller, hotline = _Forms(self._call.caller), _Forms(self._call.hotline)
        return {"caller": caller, "hotline": hotline, "settings": config.settings, "secrets": config.revealed_secrets()}

    def _send(self, signed: Request, shown: Request) -> Response:
        self._sent += 1
        if self._sent > self._config.max_requests:
            raise UnexpectedAnswer(f"more than max_requests ({self._config.max_requests}) would be needed")
        asked = f"{signed.method} {self._mask.url(signed, shown)}" if self._call.explained else ""
        if self._deadline.expired():
            self._say(f"not asked, for no time is left: {asked}")
        self._check_time()
        self._say(asked)  # before it is sent: an answer may never come
        start = time.monotonic()
        response = self._client.send(signed, self._deadline)
        took = (time.monotonic() - start) * 1000
        for place in response.redirects:
            self._say(f"redirected to {self._mask.address(place)}")
        self._say(f"{response.status} after {took:.0f} ms")
        return response

    def _check_time(self) -> None:
        if self._deadline.expired():
            raise SourceUnavailable("no time is left")

    def _say(self, line: str) -> None:
        if self._call.explained:
            self._call.explain(self._mask.text(f"{self._place}: {line}"))
