"""For integrators: the tests that every connector must pass, and stand-ins for tests of their own.

    class TestMyCrm(HttpConformance):
        found = {"customers": [{"phone": "0901 234 567", "owner": "lan@congty.example"}]}
        nobody = {"customers": []}
        owners = (Owner(email="lan@congty.example"),)

        def connector(self, url):
            return MyCrm(MyCrmConfig(url=url, token=self.secret))

`conformance/subject.py` says what a test class fills in, `http/subject.py` what more for a source that is asked over
HTTP, `server.py` for one that is another server; `ExtensionsConformance` is for lists of extensions. pytest runs them,
and has to be installed; the service never imports this package. Each failure says what to do about it.
"""

from bridge.testing.conformance import Conformance
from bridge.testing.conformance.extensions import ExtensionsConformance
from bridge.testing.fake_crm import FakeCrm, ReceivedRequest, Reply, sending
from bridge.testing.fakes import FakeClock, FakeConnector, Gate, failing, nobody, owned_by
from bridge.testing.http import HttpConformance
from bridge.testing.server import ServerConformance
from bridge.testing.tcp_proxy import TcpProxy

__all__ = [
    "Conformance",
    "ExtensionsConformance",
    "FakeClock",
    "FakeConnector",
    "FakeCrm",
    "Gate",
    "HttpConformance",
    "ReceivedRequest",
    "Reply",
    "ServerConformance",
    "TcpProxy",
    "failing",
    "nobody",
    "owned_by",
    "sending",
]
