"""The words that the service uses in itself, as people read them."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

MENU = {
    "pages.trace": _("Try a number"),
    "calls.calls": _("Calls"),
    "pages.sources": _("Sources"),
    "pages.directory": _("Directory"),
    "pages.figures": _("Two seconds"),
    "configuration.configuration": _("Configuration"),
    "upkeep.upkeep": _("Upkeep"),
    "set_up.set_up": _("Set up"),
}
"""The pages, in the order of the menu."""

PROVEN = {
    "real server": _("tried on a real server"),
    "API description": _("checked against the vendor's API description"),
    "documents": _("written after the vendor's documents"),
    "unverified": _("not verified by anything"),
}
"""Against what a preset was tried."""

MEANINGS = {
    "phone": _("Customer's number"),
    "owner": _("Owner"),
    "owner_id": _("Owner's id"),
    "email": _("Owner's e-mail"),
    "login": _("Owner's login"),
    "name": _("Owner's name"),
    "extension": _("Owner's extension"),
    "country": _("Country of the number"),
}
"""What a column of a customers' file holds."""

OUTCOMES = {
    "found": _("Rings"),
    "nobody": _("Nobody looks after this customer"),
    "unmapped": _("The owner is known, but has no extension"),
    "invalid-number": _("This is no telephone number"),
    "unavailable": _("No source could answer in time"),
    "bad-request": _("The number was missing"),
}
"""How calls end, by the words of the service."""

FAILURES = {
    "unavailable": _(
        "It could not be reached, or did not answer: see whether it runs, and whether this machine reaches it."
    ),
    "rejected": _("It refuses: somebody has to correct the key, the sign-in or the rights at the source."),
    "unexpected-answer": _(
        "What came does not fit: look the number up under “Try a number”, or with omi-bridge lookup --explain."
    ),
    "late": _("It took too long: see how busy it is. What came too late is remembered for the next call."),
    "bug": _("The connector has a bug: the log says more."),
}
"""What to do about a failure, by its kind."""

_WORDS = {
    **OUTCOMES,
    "no-key": _("without a key"),
    "wrong-key": _("with a wrong key"),
    "network": _("from a network that server.allow does not name"),
    "path": _("at another path than server.path"),
    "wrong-number": _("This number cannot be read: look at the customer's number and the hotline."),
    "wrong-day": _("This day cannot be read: write it as 2026-11-26."),
    "live": _("asked just now"),
    "cached": _("remembered"),
    "stale": _("remembered, past its time"),
    "snapshot": _("read ahead"),
    "busy": _("The service is just doing that for somebody. Try again in a few seconds."),
    "often": _("Twenty numbers a minute can be looked up. Try again in a minute."),
    "no-room": _(
        "The sources have no room just now, and callers come first. A source with max_in_flight: 1 is never asked from "
        "here: use omi-bridge lookup --explain."
    ),
    "well": _("This source is not left alone any more."),
    "try-often": _("Six trials a minute can be made. Try again in a minute."),
    "no-trial": _(
        "It cannot be tried just now: it asks to be left alone, nothing was asked of it yet, or no place is free."
    ),
    "no-callers": _("Nobody has called since the service was started: there is nobody to try it on."),
    "not-valid": _("This file cannot be put in force: mend first what is shown below."),
    "shadow-often": _("A change can be tried twice a minute. Try again in a minute."),
    "time": _("not asked, for the time was over"),
    "forget-often": _("Five callers a minute can be forgotten. Try again in a minute."),
    "not-forgotten": _(
        "Not forgotten: omi-bridge forget, run as the user of the service on its machine, says what is in the way."
    ),
    "not-doubted": _("This list is not doubted any more, or is another one by now. Look at it again."),
    "not-confirmed": _("It could not be confirmed: run omi-bridge confirm as the user of the service."),
    "no-file": _("Choose a file, then send it. Names of sheets and columns have 200 characters at most."),
    "look-busy": _("A file is just being looked at for somebody. Try again in a minute."),
    "look-often": _("Six files a minute can be looked at. Try again in a minute."),
    "look-time": _(
        "This takes too long here. Perhaps a cell far below or right of the table is filled: Ctrl+End leads to it. "
        "Else put the file on the machine, and omi-bridge check reads it there."
    ),
    "look-memory": _(
        "This takes too much memory here. Perhaps a cell far below or right of the table is filled: Ctrl+End leads to "
        "it. Else put the file on the machine, and omi-bridge check reads it there."
    ),
    "look-large": _(
        "A file of 20 MB at most is looked at here. Put a larger one on the machine, and omi-bridge check reads it "
        "there."
    ),
    "no-decisions": _("No call has been answered yet, or the file of decisions cannot be read."),
    "csrf": _("The page was open for too long, or the form is not ours. Go back and send it again."),
    "unreachable": _("The service cannot be asked: it is not running, or it has no section console: yet."),
    "slow": _("The service has much to do, and has not answered in time. Try again in a moment."),
    "password": _("Wrong password."),
    "throttled": _("Too many wrong passwords. Wait for a minute."),
    "bug": _("Something is wrong in omi-bridge: its log says more."),
}


def in_words(word: str | None) -> str:
    """Return what a word of the service means, the word itself if there is none."""
    return str(_WORDS.get(word or "", word or ""))


def support_text(trace: Mapping[str, Any]) -> str:
    """Return a trace as plain text, to be sent to whoever helps: English, masked like all that is shown."""
    live = trace["live"]
    how = f"{live['connector'] or '-'}, {trace['milliseconds']} ms of {trace['deadline'] * 1000:.0f} ms"
    lines = [
        f"omi-bridge trace {trace['request_id']}: caller {trace['caller'] or 'unreadable'}",
        f"outcome {live['outcome']} {':'.join(live['extensions']) or '-'} ({live['answer'] or '-'}, {how})",
        f"reason: {live['reason'] or '-'}",
        *(f"{step['end']:8.1f} ms  {step['text']}" for step in trace["steps"]),
    ]
    return "\n".join(lines)
