"""The files for containers, read as an engine would read them: there is none where the tests run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bridge.commands.main import main
from bridge.config.loading import load_config
from tests.support.documents import ROOT
from tests.support.service import RunningService

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    (line.split()[0], line.partition(" ")[2].strip())
    for line in re.sub(r"^#.*\n", "", CONTAINERFILE, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    if line.strip()
]


def told(instruction):
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def health_check():
    return json.loads(re.search(r"CMD (\[.*\])", told("HEALTHCHECK")[0])[1])


def test_everything_that_is_copied_exists_and_is_sent_to_the_builder():
    sources = [word for rest in told("COPY") if "--from" not in rest for word in rest.split()[:-1]]
    sent = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"bridge", "connectors", "pyproject.toml"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in sent


def test_the_container_does_not_run_as_root_and_writes_where_its_user_may():
    assert told("USER") == ["10001:10001"]
    assert told("VOLUME") == ["/var/lib/omi-bridge"]
    assert "install -d -o omi-bridge" in " ".join(told("RUN"))


def test_what_it_starts_is_a_command_of_ours():
    (entry,), (arguments,) = map(json.loads, told("ENTRYPOINT")), map(json.loads, told("CMD"))
    assert entry == ["omi-bridge"]
    given = [arguments, COMPOSE["services"]["bridge"]["command"]]
    for command, *options in given:
        assert main.commands[command].make_context(command, options).params["bind"] == "0.0.0.0:8080"


def test_the_python_of_the_image_is_one_that_the_tests_run_with():
    assert told("ARG")[0] == "PYTHON=3.11"
    assert len(told("FROM")) == 2
    assert all("python:${PYTHON}-slim-bookworm" in image for image in told("FROM"))


def test_the_health_check_succeeds_while_the_service_answers_and_fails_when_it_is_gone(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = tmp_path / "config.yaml"
    config.write_text("api_keys: [change-me]\nconnectors: {c: {type: csv, path: customers.csv}}\n", encoding="utf-8")
    with RunningService(config) as service:
        program, *arguments = (word.replace("8080", str(service.port)) for word in health_check())
        assert program == "python"
        proxied = {"http_proxy": "http://127.0.0.1:9"}
        assert subprocess.run([sys.executable, *arguments], check=False, env=proxied).returncode == 0
    gone = subprocess.run([sys.executable, *arguments], check=False, capture_output=True)
    assert gone.returncode != 0


def test_compose_checks_the_health_in_the_same_way():
    assert COMPOSE["services"]["bridge"]["healthcheck"]["test"] == ["CMD", *health_check()]
    checks = {name: service["healthcheck"] for name, service in COMPOSE["services"].items()}
    assert all("test" in check for name, check in checks.items() if name != "console")
    assert checks["console"] == {"disable": True}  # the image's own asks the service


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_each_container_has_no_more_rights_than_it_needs(name):
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"


def test_images_of_others_are_pinned_to_a_major_version():
    images = {service["image"] for service in COMPOSE["services"].values()} - {COMPOSE["services"]["bridge"]["image"]}
    assert images
    assert all(re.fullmatch(r"docker\.io/library/\w+:\d+-alpine", image) for image in images)


def test_everything_that_is_mounted_exists_or_is_said_to_be_made():
    mounts = [mount.split(":")[0] for service in COMPOSE["services"].values() for mount in service.get("volumes", [])]
    for mount in mounts:
        assert mount in COMPOSE["volumes"] or (DEPLOY / mount).exists(), mount
    first_lines = (DEPLOY / "compose.yaml").read_text(encoding="utf-8").partition("name:")[0]
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].removeprefix("./") in first_lines


def test_only_the_proxy_can_be_reached_from_outside_and_the_memory_from_nowhere():
    assert {name: service.get("ports") for name, service in COMPOSE["services"].items()} == {
        "bridge": None,
        "console": None,
        "redis": None,
        "caddy": ["80:80", "443:443"],
    }
    assert COMPOSE["services"]["redis"]["networks"] == ["memory"]
    assert COMPOSE["networks"]["memory"] == {"internal": True}


def test_the_configuration_of_the_containers_is_valid_and_fits_them(tmp_path):
    (tmp_path / "key").write_text("key-4711", encoding="utf-8")
    written = (DEPLOY / "etc/bridge.yaml").read_text(encoding="utf-8")
    for secret in COMPOSE["services"]["bridge"]["secrets"]:
        assert f"/run/secrets/{secret}" in written
        written = written.replace(f"/run/secrets/{secret}", str(tmp_path / "key"))
    file = tmp_path / "bridge.yaml"
    file.write_text(written, encoding="utf-8")
    assert load_config(file).settings.api_keys[0].get_secret_value() == "key-4711"
    document = yaml.safe_load(written)
    (front,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert document["server"]["trusted_proxies"] == [front["subnet"]]
    assert document["cache"]["url"].removeprefix("redis://").partition(":")[0] in COMPOSE["services"]
    assert (DEPLOY / "etc" / Path(document["connectors"]["customers"]["path"])).exists()
