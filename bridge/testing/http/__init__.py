"""The tests that every connector to an HTTP source has to pass, against a CRM that does whatever a CRM can do."""

from bridge.testing.conformance import Conformance
from bridge.testing.http.answers import HttpAnswers
from bridge.testing.http.calls import HttpCalls
from bridge.testing.http.sessions import HttpSessions


class HttpConformance(HttpAnswers, HttpCalls, HttpSessions, Conformance):
    """Subclass it in a test file under a name that starts with `Test`, and fill in what `HttpSubject` asks for."""
