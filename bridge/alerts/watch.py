"""Looks every few seconds at what is wrong, and has it told: once a machine, however many processes there are.

Each process says on a slip what is wrong as it sees it. One of them, which holds a lock that the kernel gives to the
next when it dies, reads all slips, keeps the journal, and sends. No call waits for any of this, and nothing here keeps
a process from stopping: all of it are daemon threads, and what is to be kept is kept at each change.
"""

import json
import logging
import platform
import time
from collections.abc import Callable, Mapping, Sequence

from bridge.alerts.channels import AlertMeter, Channel, NoMeter, WebhookChannel
from bridge.alerts.courier import Courier
from bridge.alerts.journal import Journal
from bridge.alerts.kept import KeptAlerts
from bridge.alerts.mail import EmailChannel
from bridge.alerts.message import Change, Message, new_id
from bridge.alerts.ping import Pinger
from bridge.config.alerts import Alerts
from bridge.config.loading import Config
from bridge.sdk.deadline import Clock
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Duty, Page, Slips

_log = logging.getLogger(__name__)

_EVERY = 5.0

Troubles = Callable[[], Mapping[str, str]]
"""Says for each part that is not well why not: the words of `/healthz`, secrets and callers masked.

They begin with `rejected` where nothing changes until somebody acts.
"""


def channels(settings: Alerts) -> dict[str, Channel]:
    """Return the ways in which messages are sent, by their names in the configuration."""
    found: dict[str, Channel] = {}
    if settings.webhook:
        found["webhook"] = WebhookChannel(settings.webhook)
    if settings.email:
        found["email"] = EmailChannel(settings.email)
    return found


class AlertWatch:
    """The alerts of one process; `memory` is what it has in common with the others of this machine."""

    def __init__(
        self,
        config: Config,
        memory: MachineMemory,
        troubles: Troubles,
        meter: AlertMeter | None = None,
        *,
        wall_clock: Clock = time.time,
        wait: Wait | None = None,
    ) -> None:
        self._config = config
        self._memory = memory
        self._troubles = troubles
        self._meter = meter or NoMeter()
        self._wall_clock = wall_clock
        self._name = new_id()  # a process that was started anew is another one
        self._slips = Slips(memory, "alerts")
        self._failing = Page(memory, "alerts failing")
        self._kept = KeptAlerts(memory, config.alerts_file)
        self._duty = Duty(memory, "alerts")
        self._journal = Journal(0.0)
        self._couriers: dict[str, Courier] = {}
        self._fitted: Config | None = None  # the configuration that the couriers are made for
        self._seen: dict[str, Mapping[str, str]] = {}
        self._told: Sequence[Change] = ()
        self._loop = BackgroundLoop("alerts", self._look, at_end=self._resign, wait=wait)
        bind = config.settings.server.bind  # a reload does not change where it listens
        self._pinger = Pinger(bind, self._settings, lambda: self._told, self._meter, self._note_failing)

    def start(self) -> None:
        """Begin to look, if somebody is to be told."""
        if self._config.settings.alerts:
            self._loop.start()

    def adopt(self, config: Config) -> None:
        """Go on with another configuration."""
        self._config = config
        self.start()
        self._loop.wake()

    def troubles(self) -> dict[str, str]:
        """Say for each channel over which nothing can be sent why not, whichever process found out."""
        if not self._config.settings.alerts:
            return {}
        try:
            found = json.loads(self._failing.read() or b"{}")
        except ValueError:
            return {}
        return {f"alerts.{name}": f"cannot be sent: {why}" for name, why in found.items()}

    def close(self) -> None:
        """Stop at once; what waits to be sent is kept."""
        self._loop.close(0)
        self._pinger.close()
        for courier in list(self._couriers.values()):
            courier.close()
        self._kept.close()

    def _settings(self) -> Alerts | None:
        """Return what is to be told and how, by this process: nothing if another tells for all."""
        return self._config.settings.alerts if self._duty.is_held else None

    def _look(self) -> float:
        if self._config.settings.alerts is None:
            self._resign()
            return _EVERY
        own = {"process": self._name, "troubles": dict(self._troubles())}
        self._slips.write(json.dumps(own, ensure_ascii=False).encode())
        if self._duty.is_held or self._takes_over():
            self._lead()
        return _EVERY

    def _takes_over(self) -> bool:
        """Become who tells for all, if nobody is: go on where he left off, or the service before its restart."""
        if not self._duty.is_ours():
            return False
        kept = self._kept.read()
        self._fit()
        try:
            self._journal.restore(kept.get("parts", []), self._wall_clock())
            for name, courier in self._couriers.items():
                courier.restore(kept.get("waiting", {}).get(name, []))
        except (LookupError, TypeError, ValueError, AttributeError):
            _log.warning("%s does not hold what it should: begun anew", self._config.alerts_file)
        self._pinger.start()
        return True

    def _resign(self) -> None:
        """Leave it to another process, if there is one, to tell."""
        self._slips.withdraw()
        if self._duty.is_held:
            for courier in self._couriers.values():
                courier.close()
            self._couriers = {}
            self._duty.leave()

    def _fit(self) -> None:
        """Have a courier for each channel of the configuration in force."""
        config, self._fitted = self._config, self._config
        settings = config.settings.alerts
        if settings is None:
            return
        there = channels(settings)
        self._journal.patience = settings.patience
        for name in self._couriers.keys() - there.keys():
            self._couriers.pop(name).close()
        for name, channel in there.items():
            if name in self._couriers:
                self._couriers[name].use(channel)
            else:
                self._couriers[name] = Courier(name, channel, self._meter, self._note_failing, self._wall_clock)
        self._leave_failing()
        self._pinger.wake()

    def _lead(self) -> None:
        if self._fitted is not self._config:
            self._fit()
        now = self._wall_clock()
        seen = self._said_by_all()
        for process in self._seen.keys() - seen.keys():
            self._journal.await_again(self._seen[process], now)
        self._seen = seen
        troubles = {part: words for said in reversed(seen.values()) for part, words in said.items()}
        changes = self._journal.observe(troubles, now)
        self._told = tuple(self._journal.told)
        if changes:
            self._tell(self._message(changes, now))
        self._keep()

    def _said_by_all(self) -> dict[str, Mapping[str, str]]:
        found: dict[str, Mapping[str, str]] = {}
        for slip in self._slips.read():
            said = json.loads(slip)
            found[said["process"]] = said["troubles"]
        return found

    def _message(self, changes: Sequence[Change], now: float) -> Message:
        news = {change.part for change in changes}
        others = tuple(one for one in self._told if one.part not in news and one.until is None)
        status, file = "degraded" if self._told else "ok", str(self._config.file.absolute())
        return Message(new_id(), now, platform.node(), file, status, tuple(changes), others)

    def _tell(self, message: Message) -> None:
        _log.warning("alerts: %s", message.subject)
        for courier in self._couriers.values():
            courier.take([message])
        self._pinger.wake()

    def _keep(self) -> None:
        waiting = {name: courier.state() for name, courier in self._couriers.items()}
        self._kept.write({"parts": self._journal.state(), "waiting": waiting})

    def _note_failing(self) -> None:
        """Keep what has changed, and have the others know it; called by the threads that send."""
        self._leave_failing()
        self._loop.wake()

    def _leave_failing(self) -> None:
        """Leave for all processes which channels fail."""
        failing = {name: courier.trouble for name, courier in list(self._couriers.items()) if courier.trouble}
        failing |= {"ping": self._pinger.trouble} if self._pinger.trouble else {}
        self._failing.write(json.dumps(failing, ensure_ascii=False).encode())
