"""What `bridge.testing` gives to everybody."""

from bridge.testing.scripted_server import (
    PATIENCE,
    Connection,
    Script,
    ScriptedServer,
    always,
    answer,
    dead_port,
    then_close,
)

__all__ = ["PATIENCE", "Connection", "Script", "ScriptedServer", "always", "answer", "dead_port", "then_close"]
