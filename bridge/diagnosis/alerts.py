"""What `omi-bridge check` says of the alerts; with `--alerts` it sends a message for a trial over each channel.

It is the very way that a true message takes. At the first true one, at 3 in the morning, nobody wants to learn that the
password is wrong.
"""

import platform
import time
from collections.abc import Callable, Iterator
from functools import partial

from bridge.alerts.channels import LIMIT, NotSent, Receipt
from bridge.alerts.kept import KeptAlerts
from bridge.alerts.message import Message, new_id
from bridge.alerts.ping import PingChannel
from bridge.alerts.watch import channels
from bridge.config.loading import Config
from bridge.diagnosis.finding import Finding, Severity
from bridge.sdk.deadline import Deadline
from bridge.storage.machine import MachineMemory


def check_alerts(config: Config, *, sends: bool) -> Iterator[Finding]:
    """Say of each channel what came back of the message for a trial, or that none was sent."""
    settings = config.settings.alerts
    if settings is None:
        return
    yield from _kept(config)
    now = time.time()
    message = Message(new_id(), now, platform.node(), str(config.file.absolute()), "test", (), sent_at=now)
    ways: dict[str, Callable[[Deadline], Receipt]] = {
        name: partial(channel.send, message) for name, channel in channels(settings).items()
    }
    if settings.ping:
        ways["ping"] = partial(PingChannel(settings.ping).send, "")
    for name, send in ways.items():
        yield from (
            _tried(f"alerts.{name}", send)
            if sends
            else [Finding(f"alerts.{name}", "not tried (--alerts sends a test)")]
        )


def _kept(config: Config) -> Iterator[Finding]:
    try:
        why_not = KeptAlerts(MachineMemory(), config.alerts_file).obstacle()
    except OSError as error:
        why_not = f"{error.strerror or error}: check as the user that the service runs as"
    if why_not:
        yield Finding("alerts", f"{config.alerts_file} cannot be written: {why_not}", Severity.FAILED)


def _tried(subject: str, send: Callable[[Deadline], Receipt]) -> Iterator[Finding]:
    started = time.monotonic()
    try:
        receipt = send(Deadline.after(LIMIT))
    except NotSent as error:
        yield Finding(subject, f"not sent: {error}", Severity.FAILED)
        return
    yield Finding(subject, f"sent: {receipt.told}, in {(time.monotonic() - started) * 1000:.0f} ms")
    if receipt.problem:
        yield Finding(subject, receipt.problem, Severity.FAILED)
