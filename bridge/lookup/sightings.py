"""What the processes of one machine have seen of one source together, so that they judge it, and try it, as one.

Moments and no locks: a process that dies or stands still keeps nobody from anything.
"""

import time
from dataclasses import dataclass

from bridge.lookup.suspicion import CALLERS
from bridge.sdk.deadline import Clock
from bridge.sdk.shared import Moments
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Duty


@dataclass(frozen=True, slots=True)
class Sightings:
    """When what has happened in any process; as many times are kept as are asked for."""

    answers: Moments
    """Answers in good time."""
    failures: Moments
    """Callers without one whom a process had not seen fail yet."""
    probes: Moments
    """Questions that are to tell how the source is while it is in use: see `SourceTrouble`."""
    trials: Moments
    """Questions that decide whether it is left alone."""
    duty: Duty
    """To try it for all while it is left alone."""

    @classmethod
    def of(cls, memory: MachineMemory, name: str, identity: str) -> "Sightings":
        """Return those of the connector `name`; only who has the same `identity` leaves it alone together."""
        return cls(
            memory.moments(f"answers of {name}"),
            memory.moments(f"failures of {name}", CALLERS),
            memory.moments(f"probes of {name}"),
            memory.moments(f"trials of {name}"),
            Duty(memory, f"try {identity}"),
        )

    @classmethod
    def alone(cls, name: str, clock: Clock = time.monotonic) -> "Sightings":
        """Return those of one guard that shares them with nobody."""
        answers, probes, trials = (Moments(1, clock) for _ in range(3))
        return cls(answers, Moments(CALLERS, clock), probes, trials, Duty(MachineMemory(), name))

    def answered_since(self, seconds: float) -> bool:
        """Tell whether somebody was answered less than so many seconds ago."""
        return self.answers.age() < seconds
