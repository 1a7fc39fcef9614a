"""What `bridge.testing` gives to everybody."""

from bridge.testing.fakes import Answer, FakeClock, FakeConnector, Gate, failing, nobody, owned_by

__all__ = ["Answer", "FakeClock", "FakeConnector", "Gate", "failing", "nobody", "owned_by"]
