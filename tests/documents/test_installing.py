"""Whoever follows a document gets the versions that are tested, and an installation that stays what it is."""

import re
import tomllib
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.documents import DOCUMENTS, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = "--constraint constraints.txt"
INSTALLS = re.compile(r"\S*pip(?:\s+\S+)*? install[^`&\n]*? (?:'?\.[\[' &`\n]|\"?omi_bridge-|\"?\.\$\{).*")


def installations(text):
    """Return the commands that install this project."""
    return [match[0] for match in INSTALLS.finditer(text + "\n")]


def test_what_installs_the_project_is_recognised():
    assert installations("run `.venv/bin/pip install '.[redis]'` here")
    assert installations("/opt/bin/pip install --quiet . && rm")
    assert installations('pip --python x install --no-cache-dir ".${EXTRAS}"')
    assert not installations("`pip install pytest`, and `pip install 'pymysql[rsa]'`")


@pytest.mark.parametrize(
    "file", [*DOCUMENTS, ROOT / "deploy/Containerfile"], ids=lambda file: str(file.relative_to(ROOT))
)
def test_the_project_is_installed_with_the_versions_that_are_tested(file):
    if file.parent.name == "connectors":  # an integrator's own package, where omi-bridge is installed already
        return
    for command in installations(file.read_text(encoding="utf-8")):
        assert CONSTRAINTS in command
        assert ".venv" not in command, "it would replace make's installation by a copy: make install EXTRAS=…"


def test_no_message_makes_a_copy_of_what_make_has_installed():
    for package in ("bridge", "connectors"):
        for file in (ROOT / package).rglob("*.py"):
            assert ".venv/bin/pip" not in file.read_text(encoding="utf-8"), file


def test_every_target_of_make_that_is_named_is_there():
    targets = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for file in DOCUMENTS for name in re.findall(r"`make ([a-z-]+)", file.read_text(encoding="utf-8"))}
    assert {"run", "test", "test-all"} <= named <= targets


def test_every_package_that_is_named_has_the_version_that_is_tested():
    named = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    tested = {canonicalize_name(name): version for name, version in pinned.items()}
    for requirement in map(Requirement, named):
        name = canonicalize_name(requirement.name)
        assert name == PROJECT["name"] or tested[name] in requirement.specifier, requirement
