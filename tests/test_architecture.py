"""Who may know whom: connectors the contract alone, the core no connector, and nobody works while being imported."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points

import pytest

from bridge.config import plugins
from bridge.config.plugins import connector_class, installed_types
from bridge.sdk import Connector, ConnectorConfig
from tests.support.documents import ROOT

BRIDGE = sorted((ROOT / "bridge").glob("**/*.py"))
CONNECTORS = sorted((ROOT / "connectors").glob("**/*.py"))
PRESETS = sorted((ROOT / "connectors/presets").glob("*.yaml"))

IMPORT_ALL = """
import importlib, sys, threading
# Other people's packages may do as they like; urllib3 opens a socket to learn about IPv6.
import flask, gunicorn.app.base, gunicorn.arbiter, gunicorn.workers.gthread, jmespath, phonenumbers, requests, yaml

def forbidden(*_):
    raise AssertionError("a thread is started")

def heard(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.fork", "os.system", "os.exec", "os.mkdir", "os.remove")):
        raise AssertionError(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise AssertionError(f"{event} {arguments[0]}")

threading.Thread.start = forbidden
sys.dont_write_bytecode = True
sys.addaudithook(heard)
for name in sys.argv[1:]:
    importlib.import_module(name)
assert threading.active_count() == 1
"""


def module_of(file):
    """Return the full name of a module."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def imported(file):
    """Return the full names of what a file imports, also inside functions and by importlib."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(level=0, module=module, names=names):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom(names=names):
                yield from (f"{file.parent.name}.{node.module or name.name}" for name in names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="__import__"), args=[ast.Constant(value=name)]
            ):
                yield name


@pytest.mark.parametrize("file", CONNECTORS, ids=module_of)
def test_connectors_know_nothing_of_the_core_but_the_sdk(file):
    for name in imported(file):
        package, _, rest = name.partition(".")
        assert package != "bridge" or rest.partition(".")[0] == "sdk", name


@pytest.mark.parametrize("file", BRIDGE, ids=module_of)
def test_the_core_knows_no_connector(file):
    assert [name for name in imported(file) if name.partition(".")[0] in {"connectors", "tests"}] == []


def test_no_two_classes_share_a_name():
    places = {}
    for file in BRIDGE + CONNECTORS:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module_of(file))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def declared(group):
    """Return the entry points of a group which have to be installed as pyproject.toml declares them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = {point.name: point.value for point in entry_points(group=group)}
    assert installed == project["entry-points"][group]
    return installed


def defined(*bases):
    """Return the classes of connectors/ that are made from one of these, as entry points are written."""
    return {
        f"{module_of(file)}:{node.name}"
        for file in CONNECTORS
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(one).startswith(bases) for one in node.bases)
    }


def test_every_built_in_connector_and_every_preset_is_found_through_its_entry_point():
    presets = {file.stem: f"connectors.presets:{file.stem}" for file in PRESETS}
    found = declared(plugins.CONNECTORS)
    assert {name: value for name, value in found.items() if value.startswith("connectors.presets:")} == presets
    connectors = defined("Connector[", "TableConnector[", "CsvConnector")
    assert set(found.values()) - set(presets.values()) == connectors - {"connectors.tables.connector:TableConnector"}


def test_every_built_in_source_of_extensions_is_found_through_its_entry_point():
    assert set(declared(plugins.EXTENSIONS).values()) == defined("ExtensionSource[")


@pytest.mark.parametrize("name", installed_types(plugins.CONNECTORS))
def test_a_built_in_connector_is_what_the_contract_says(name):
    found = connector_class(name)
    assert issubclass(found, Connector)
    assert issubclass(found.Config, ConnectorConfig)
    assert found.__doc__
    assert all(field.description for key, field in found.Config.model_fields.items() if key != "tls")


def test_importing_does_no_work():
    modules = [module_of(file) for file in BRIDGE + CONNECTORS]
    modules = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    assert {"bridge.web.master", "connectors.rest.connector", "connectors.presets"} <= set(modules)
    subprocess.run([sys.executable, "-W", "error", "-c", IMPORT_ALL, *modules], check=True, cwd=ROOT)
