"""A real nginx in front: the client's address is right, and cannot be forged."""

import http.client
import shutil
import subprocess
import threading
import time

import pytest

from tests.support.service import RunningService, free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
OMICALL, OFFENDER = "127.0.0.9", "127.0.0.66"
"""Addresses of this machine that stand for strangers: nginx alone, at 127.0.0.1, is trusted here."""
CONFIG = """
daemon off; pid nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  upstream bridge {{ server 127.0.0.1:{bridge}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://bridge;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""
pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


class Nginx:
    def __init__(self, folder, bridge):
        self.port = free_port()
        (folder / "nginx.conf").write_text(CONFIG.format(port=self.port, bridge=bridge))
        self._process = subprocess.Popen(
            [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"], stderr=subprocess.DEVNULL
        )

    def __enter__(self):
        end = time.monotonic() + 10.0
        while time.monotonic() < end:
            try:
                self.ask(OMICALL)
            except ConnectionRefusedError:
                threading.Event().wait(0.02)
            else:
                return self
        raise AssertionError("nginx does not answer")

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)

    def ask(self, source, forwarded=None, key="change-me"):
        """Ask from an address of this machine; return the status, the body and the outcome."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(source, 0))
        try:
            headers = {"X-API-KEY": key, **({"X-Forwarded-For": forwarded} if forwarded else {})}
            connection.request("GET", "/get_owner_contact_by_phone?phoneNumber=0901234567", headers=headers)
            response = connection.getresponse()
            return response.status, response.read(), response.headers["X-Bridge-Outcome"]
        finally:
            connection.close()


@pytest.fixture
def behind_nginx(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = tmp_path / "config.yaml"
    config.write_text(
        f"api_keys: [change-me]\nserver: {{trusted_proxies: 127.0.0.1, allow: [{OMICALL}, {OFFENDER}]}}\n"
        "connectors: {customers: {type: csv, path: customers.csv}}\n"
    )
    with RunningService(config) as service, Nginx(tmp_path, service.port) as nginx:
        yield service, nginx


def test_a_client_is_let_in_by_his_own_address_and_by_no_other(behind_nginx):
    _, nginx = behind_nginx
    assert nginx.ask(OMICALL) == (200, b"101", "found")
    assert nginx.ask("127.0.0.77") == (403, b"", "unauthorized")
    for forged in (OMICALL, f"{OMICALL}, 127.0.0.1", f"127.0.0.1, {OMICALL}, "):
        assert nginx.ask("127.0.0.77", forged) == (403, b"", "unauthorized")


def test_a_wrong_key_is_told_with_its_sender_behind_the_proxy(behind_nginx):
    service, nginx = behind_nginx
    assert nginx.ask(OFFENDER, "10.0.0.1", key="wrong") == (401, b"", "unauthorized")
    service.wait_for_log(f"reason=a wrong key from {OFFENDER}")
    assert nginx.ask(OFFENDER) == (200, b"101", "found")
