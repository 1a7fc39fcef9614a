"""Forgets one caller beside the service, with the configuration in force: a process of its own, by `Forgetter`.

What it needs comes by its standard input, for a command line is everybody's to read.
"""

import json
import sys
from pathlib import Path

from bridge.config.content import Content
from bridge.config.loading import load_config
from bridge.insight.forgetting import forget_everywhere, not_touched
from bridge.sdk.phone.number import PhoneNumber


def main() -> None:
    """Forget whom the input names; write what came of it as a line of JSON, the last one."""
    said = json.load(sys.stdin)
    content = Content.from_bytes(said["content"].encode("utf-8", "surrogatepass"))
    config = load_config(Path(said["file"]), overrides=said["overrides"], content=content)
    parts = [part._asdict() for part in forget_everywhere(config, PhoneNumber(said["caller"]))]
    sys.stdout.write("\n" + json.dumps({"parts": parts, "left": list(not_touched(config))}))


if __name__ == "__main__":
    main()
