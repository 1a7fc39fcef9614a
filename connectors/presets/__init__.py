"""The presets: one YAML file for each CRM, and nothing else. `connectors.presets:hubspot` is made of `hubspot.yaml`.

A file is read when its type is asked for the first time.
"""

from pathlib import Path

from connectors.presets.connector import preset_connector
from connectors.presets.preset import read_preset
from connectors.rest.connector import RestConnector


def __getattr__(name: str) -> type[RestConnector]:
    file = Path(__file__).parent / f"{name}.yaml"
    if not name.isidentifier() or not file.is_file():
        raise AttributeError(f"there is no preset {name}")
    found = globals()[name] = preset_connector(name, read_preset(file))
    return found
