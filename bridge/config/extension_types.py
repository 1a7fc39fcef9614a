"""Types of sources of extensions: from a key under `extensions:` to the class that reads the list.

They are entry points of the group `omi_bridge.extensions`, where the built-in ones stand like any other.
"""

from importlib.metadata import EntryPoint, entry_points

from bridge.config.connector_types import load, usable_class
from bridge.sdk.extension_source import AnyExtensionSource, ExtensionSource, ExtensionSourceConfig
from bridge.sdk.suggestion import did_you_mean

GROUP = "omi_bridge.extensions"


def extension_types() -> dict[str, EntryPoint]:
    """Return the entry points of all installed types by name, in alphabetical order."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def extension_class(type_name: str, beside: tuple[str, ...] = ()) -> type[AnyExtensionSource]:
    """Return the class behind `type_name`; raises ValueError saying what to mend if there is none.

    `beside` are the other keys that could have been meant.
    """
    points = {point.value: point for point in entry_points(group=GROUP, name=type_name)}
    if not points:
        known = (*beside, *extension_types())
        guess = did_you_mean(type_name, known)
        raise ValueError(f"unknown key{guess}" if guess else f"unknown key; known here: {', '.join(known)}")
    what = f"source of extensions {type_name}"
    if len(points) > 1:
        raise ValueError(f"several installed packages bring a {what}: {', '.join(sorted(points))}")
    (point,) = points.values()
    loaded = load(what, point.module, point.attr)
    found: type[AnyExtensionSource] = usable_class(what, loaded, ExtensionSource, ExtensionSourceConfig)
    return found
