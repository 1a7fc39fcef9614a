"""A Debian in a folder: the commands of a guide, run as they stand, with every path of the system leading into it.

What a machine for tests does not allow has a stand-in that only notes that it was called, but for `systemctl`, which
starts, reloads and ends what the installed unit says, with the environment that it names.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.documents import ROOT, Block
from tests.support.service import free_port

NOTED = ("apt-get", "certbot", "journalctl", "nginx", "ufw", "useradd")
"""What is not done at all."""

_SYSTEM_PATH = re.compile(r"(?<![\w.])/(?=(?:etc|opt|var|usr/local)/)")
_OWNERS = re.compile(r"-o \S+ -g \S+ ")  # of files: the users are made by useradd
_COPIED = ("bridge", "connectors", "deploy", "docs", "pyproject.toml", "constraints.txt", "README.md", "LICENSE")
_SYSTEMCTL = """#!/bin/bash
echo systemctl >> {root}/called
unit={root}/etc/systemd/system/omi-bridge.service
case "$*" in
    *omi-bridge) ;;
    *) exit 0 ;;
esac
set -a
STATE_DIRECTORY={root}/var/lib/$(sed -n 's/^StateDirectory=//p' $unit)
eval "$(sed -n 's/^Environment=//p' $unit)"
. "$(sed -n 's/^EnvironmentFile=-//p' $unit)"
if [ "$1" = reload ]; then
    exec $(sed -n 's/^ExecReload=//p' $unit)
fi
if [ -e {root}/pid ]; then
    kill $(cat {root}/pid)
    while kill -0 $(cat {root}/pid); do :; done 2> {root}/ended
fi
$(sed -n 's/^ExecStart=//p' $unit) --bind 127.0.0.1:{port} > {root}/log 2>&1 &
echo $! > {root}/pid
"""


class Debian:
    """The machine: `root` holds its files, `project` the project's folder on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = root / "root/omi-bridge"
        self.port = free_port()
        self._variables = root / "variables"
        self._variables.touch()
        for folder in ("bin", "usr/local/sbin", "etc/nginx/sites-available", "etc/nginx/sites-enabled"):
            (root / folder).mkdir(parents=True)
        for folder in ("etc/systemd/system", "etc/caddy", "opt", "var/lib", "root/omi-bridge"):
            (root / folder).mkdir(parents=True)
        for name in _COPIED:
            copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copied(ROOT / name, self.project / name)
        for file in ("deploy/omi-bridge.sh", "deploy/omi-bridge.service"):
            (self.project / file).write_text(self._here((ROOT / file).read_text(encoding="utf-8")), encoding="utf-8")
        for name in NOTED:
            self._stand_in(name, f"#!/bin/sh\necho {name} >> {root}/called\n")
        self._stand_in("runuser", '#!/bin/sh\nshift 3\nexec "$@"\n')
        self._stand_in("systemctl", _SYSTEMCTL.format(root=root, port=self.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if (self.root / "pid").exists():
            subprocess.run(["/bin/kill", (self.root / "pid").read_text().strip()], check=False)

    @property
    def called(self) -> set[str]:
        """What was only noted."""
        return set((self.root / "called").read_text(encoding="utf-8").split())

    def run(self, block: Block, other: Mapping[str, str] | None = None, **environment: str) -> str:
        """Run a block of a document, and return what it prints; its variables are there for the next one."""
        text = self._here(block.text).replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        for word, here in (other or {}).items():
            text = text.replace(word, here)
        script = f"set -euo pipefail; set -a; . {self._variables}\n{text}\nexport -p > {self._variables}\n"
        path = f"{self.root}/bin:{self.root}/usr/local/sbin:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script],
            check=False,
            cwd=self.project,
            env={**os.environ, **environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{block}:\n{text}\n{done.stdout}"
        return done.stdout

    def lend(self, version: str, other: str) -> None:
        """Let one version use the packages of another besides its own, which spares installing them twice."""
        (theirs,) = (self.root / f"opt/omi-bridge/{version}").glob("lib/*/site-packages")
        (ours,) = (self.root / f"opt/omi-bridge/{other}").glob("lib/*/site-packages")
        (ours / "lent.pth").write_text(f"{theirs}\n", encoding="utf-8")

    def _here(self, text: str) -> str:
        return _OWNERS.sub("", _SYSTEM_PATH.sub(f"{self.root}/", text))

    def _stand_in(self, name: str, text: str) -> None:
        file = self.root / "bin" / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
