"""`python -m bridge` is `omi-bridge`."""

from bridge.cli import main

main()
