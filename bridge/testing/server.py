"""The tests that every connector to a server has to pass, whatever the server speaks: the way to it is ours.

Between the connector and the server stands a `TcpProxy`, so the kit itself makes the answers drip, ends connections in
the middle of them, or lets nobody in.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from bridge.sdk.connector import AnyConnector
from bridge.testing.conformance import Conformance
from bridge.testing.conformance.outcome import complain
from bridge.testing.tcp_proxy import TcpProxy

_PIECES = 12
"""In so many places an answer is cut short, about."""


class ServerConformance(Conformance):
    """Subclass it in a test file under a name that starts with `Test`, for a source that is a server of this machine.

    `start` and `connector` are yours, `stop` ends what was started; `breakages` and `hangs` may add to what the kit
    does.
    """

    def start(self, place: Path) -> int:  # noqa: ARG002 - for subclasses
        """Start the server, with its files in the empty folder `place`; return its port on 127.0.0.1."""
        complain("define start(self, place): start your server with its files in the folder place, return its port")

    def connector(self, port: int) -> AnyConnector:  # noqa: ARG002 - for subclasses
        """Return a new connector to the server at this port of 127.0.0.1, not opened yet."""
        complain("define connector(self, port): return your connector to the server at this port of 127.0.0.1")

    def breakages(self) -> Mapping[str, Callable[[Path], object]]:
        """Return further ways of breaking the server that was started in a folder, such as another password."""
        return {}

    def ways_to_break(self) -> Mapping[str, Callable[[Any], object]]:
        """Add those of the proxy."""
        return {
            "nobody listens": lambda place: self._proxies[place].refuse(),
            "every connection is closed instead of an answer": lambda place: self._proxies[place].cut(),
            "every connection is reset instead of an answer": lambda place: self._proxies[place].reset(),
            **self.breakages(),
        }

    def hangs(self) -> Mapping[str, Callable[[Path], AbstractContextManager[object]]]:
        """Return what the proxy does; a subclass may add to it."""
        pause = 0.8 * self.moment  # each single wait is in time, and no whole answer
        return {
            "it accepts and never answers": lambda place: self._proxies[place].frozen(),
            f"its answer drips, a byte every {pause:.2g} s": lambda place: self._proxies[place].dripping(pause),
        }

    def make(self, place: Path) -> AnyConnector:
        """Start the server and the proxy, and return a new connector."""
        proxy = TcpProxy(self.start(place))
        self._proxies[place] = proxy.__enter__()
        return self.connector(proxy.port)

    def put_away(self, place: Path) -> None:
        """End the proxy and the server."""
        if proxy := self._proxies.pop(place, None):
            proxy.__exit__(None, None, None)
        super().put_away(place)

    def test_an_answer_that_is_cut_short_is_not_nobody(self, place: Path) -> None:
        """Takes the end of a connection for the end of an answer nowhere, and finds the owners again after it."""
        with self._answering(place) as (connector, proxy, length):
            for after in sorted({*range(0, length, length // _PIECES + 1), length - 1}):
                for what, happens in {"closed": proxy.cut, "reset": proxy.reset}.items():
                    happens(after)
                    situation = f"the connection is {what} after {after} of the {length} bytes of the answers"
                    self.must_not_mislead(self.ask(connector), situation, best="SourceUnavailable")
                    proxy.pass_on()
                    self.must_find(self.ask(connector), f"{situation}, and all is well again")

    @contextmanager
    def _answering(self, place: Path) -> Iterator[tuple[AnyConnector, TcpProxy, int]]:
        """Give a connector that has found the owners, its proxy, and how many bytes the server answered."""
        where = self.new_place(place)
        with self.made_at(where) as connector:
            self.must_open(connector)
            proxy = self._proxies[where]
            before = proxy.answered
            self.must_find(self.ask(connector), "all is well")
            if proxy.answered == before:
                complain("the connector asked nothing at the port of connector(self, port)")
            yield connector, proxy, proxy.answered - before

    @property
    def _proxies(self) -> dict[Path, TcpProxy]:
        """The proxies that run, by the folders of their servers."""
        proxies: dict[Path, TcpProxy] = self._known.setdefault("proxies", {})
        return proxies
