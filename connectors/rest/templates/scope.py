"""Which names a template may use at the place where it stands, known while the configuration is validated."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_known: ContextVar[set[str] | None] = ContextVar("known", default=None)


@contextmanager
def known_names(names: set[str]) -> Iterator[None]:
    """Say which names the templates that are validated inside may use; the set may grow meanwhile.

    A dotted name (`caller.national`) tells what stands below the first part, which is then checked as well;
    below a name without such entries anything may stand.
    """
    token = _known.set(names)
    try:
        yield
    finally:
        _known.reset(token)


def scope() -> set[str]:
    """Return the names that a template may use at this point of the configuration: the very set of `known_names`."""
    names = _known.get()
    return set() if names is None else names


def names_of(*groups: str) -> set[str]:
    """Return those names in scope that begin with one of these: `settings` and all `settings.NAME`."""
    return {name for name in scope() if name.partition(".")[0] in groups}


def group_of(name: str, members: set[str]) -> set[str]:
    """Return the names of a group: itself and its members, nothing if it has none."""
    return {name, *(f"{name}.{member}" for member in members)} if members else set()


def keys_of(value: object) -> set[str]:
    """Return the keys of what may be a mapping, before it is validated."""
    return {str(key) for key in value} if isinstance(value, Mapping) else set()
