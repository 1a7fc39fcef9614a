"""nginx, Caddy and HAProxy, really started with the files of deploy/, in front of what listens on the loopback.

Only addresses, paths and the certificate are replaced, each literally: a file that no longer holds what is replaced
fails the test.
"""

import contextlib
import http.client
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest

from tests.support.certificates import Certificate
from tests.support.documents import ROOT
from tests.support.service import Reply, free_port

KINDS = ("nginx", "caddy", "haproxy")
PATH = "/get_owner_contact_by_phone"
_PATIENCE = 20.0
_THE_REST = "# Nothing else of omi-bridge is reachable"


class RunningProxy:
    """A proxy with TLS on a free port of the loopback, its files and its logs in `folder`.

    HAProxy stands before two machines if there is a `second` port; without it, it asks nobody for his health. `also` is
    written into the site besides, before what refuses all other paths.
    """

    def __init__(
        self,
        kind: str,
        folder: Path,
        certificate: Certificate,
        upstream: int,
        second: int | None = None,
        also: str = "",
    ) -> None:
        self.kind = kind
        self._also = also
        self.port = free_port()
        self.plain_port = free_port()
        self._folder = folder
        self._trust = ssl.create_default_context(cafile=certificate.file)
        program = shutil.which(kind) or shutil.which(kind, path="/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip(f"{kind} is not installed")
        start = {"nginx": self._nginx, "caddy": self._caddy, "haproxy": self._haproxy}[kind]
        arguments = start(certificate, upstream, *([second] if second else []))
        with (folder / "stderr.log").open("wb") as errors:
            self._process = subprocess.Popen(
                [program, *arguments],
                stdout=errors,
                stderr=errors,
                env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            )

    def __enter__(self) -> Self:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError), self._connect():
                return self
            self._process_may_end(0.02)
        self.__exit__()
        raise AssertionError(f"{self.kind} does not start:\n{self.logs()}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(
        self,
        query: str = "",
        *,
        path: str = PATH,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Reply:
        """Ask as OMICall does, over TLS, and see what it would see."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=self._trust)
        started = time.monotonic()
        try:
            connection.request(method, f"{path}?{query}", content, {"X-API-KEY": "change-me", **(headers or {})})
            response = connection.getresponse()
            body = response.read()
            return Reply(response.status, body, response.headers, time.monotonic() - started)
        finally:
            connection.close()

    def raw(self, request: bytes, *, tls: bool = True) -> bytes:
        """Send bytes as they are, and return everything that comes back."""
        with self._connect(tls=tls) as connection:
            connection.sendall(request)
            received = b""
            with contextlib.suppress(ConnectionResetError, ssl.SSLError):
                while chunk := connection.recv(65536):
                    received += chunk
            return received

    def connect(self, request: bytes) -> socket.socket:
        """Send bytes over a connection of one's own, and leave it open."""
        connection = self._connect()
        connection.sendall(request)
        return connection

    def logs(self) -> str:
        """Return all that the proxy has written."""
        return "\n".join(log.read_text(encoding="utf-8", errors="replace") for log in self._folder.glob("*.log"))

    def wait_for_log(self, text: str) -> str:
        """Return the logs as soon as `text` is in them: some lines are written after the answer has left."""
        end = time.monotonic() + _PATIENCE
        while text not in (logs := self.logs()) and time.monotonic() < end:
            self._process_may_end(0.02)
        assert text in logs
        return logs

    def _connect(self, *, tls: bool = True) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return self._trust.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain

    def _process_may_end(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _nginx(self, certificate: Certificate, upstream: int) -> list[str]:
        live = "/etc/letsencrypt/live/bridge.example"
        site = replaced(
            (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8"),
            {
                "server 127.0.0.1:8080;": f"server 127.0.0.1:{upstream};",
                "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
                "listen [::]:443 ssl;": "",
                "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
                "listen [::]:80;": "",
                f"{live}/fullchain.pem": str(certificate.file),
                f"{live}/privkey.pem": str(certificate.file.with_name("key.pem")),
                "/var/log/nginx": str(self._folder),
                "/var/www/html": str(self._folder / "www"),
                _THE_REST: f"{self._also}\n{_THE_REST}",
            },
        )
        (self._folder / "site").write_text(site, encoding="utf-8")
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = " ".join(f"{kind}_temp_path {self._folder}/{kind};" for kind in kinds)
        around = self._folder / "nginx.conf"
        around.write_text(
            f"{user} daemon off; pid {self._folder}/pid; error_log {self._folder}/main.log; worker_processes 1;\n"
            f"worker_rlimit_nofile 8192;\n"
            f"events {{ worker_connections 4096; }}\n"
            f"http {{ access_log {self._folder}/other.log; {folders} include {self._folder}/site; }}\n",
            encoding="utf-8",
        )
        return ["-p", str(self._folder), "-c", str(around)]

    def _caddy(self, certificate: Certificate, upstream: int) -> list[str]:
        key = certificate.file.with_name("key.pem")
        adapted = replaced(
            (ROOT / "deploy/Caddyfile").read_text(encoding="utf-8"),
            {
                "\tauto_https disable_redirects\n": "\tadmin off\n\tauto_https disable_redirects\n",
                "{$OMI_BRIDGE_DOMAIN:bridge.example}": f"https://127.0.0.1:{self.port}",
                "{$OMI_BRIDGE_UPSTREAM:127.0.0.1:8080}": f"127.0.0.1:{upstream}",
                _THE_REST: f"{self._also}\n{_THE_REST}",
                "\tlog\n": f"\tlog\n\tbind 127.0.0.1\n\ttls {certificate.file} {key}\n",
            },
        )
        (self._folder / "Caddyfile").write_text(adapted, encoding="utf-8")
        return ["run", "--adapter", "caddyfile", "--config", str(self._folder / "Caddyfile")]

    def _haproxy(self, certificate: Certificate, upstream: int, second: int | None = None) -> list[str]:
        both = self._folder / "bridge.pem"
        key = certificate.file.with_name("key.pem")
        both.write_bytes(certificate.file.read_bytes() + key.read_bytes())
        adapted = replaced(
            (ROOT / "deploy/haproxy.cfg").read_text(encoding="utf-8"),
            {
                "log /dev/log local0": "log stdout format raw local0",
                "    user haproxy\n    group haproxy\n": "",
                "bind :443": f"bind 127.0.0.1:{self.port}",
                "/etc/haproxy/bridge.pem": str(both),
                "10.0.0.11:8080": f"127.0.0.1:{upstream}",
                **({"10.0.0.12:8080": f"127.0.0.1:{second}"} if second else {}),
            },
        )
        if second is None:
            alone = {"    server two 10.0.0.12:8080\n": "", "default-server check": "default-server no-check"}
            adapted = replaced(adapted, alone)
        (self._folder / "haproxy.cfg").write_text(adapted, encoding="utf-8")
        return ["-db", "-f", str(self._folder / "haproxy.cfg")]


def replaced(text: str, words: Mapping[str, str]) -> str:
    """Put other words in the place of some; each of them has to be there."""
    for word, other in words.items():
        assert word in text, word
        text = text.replace(word, other)
    return text
