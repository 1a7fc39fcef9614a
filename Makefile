# Everything happens in .venv, which is made anew when pyproject.toml changes.
PYTHON ?= python3
CONFIG ?= config.example.yaml

.PHONY: run test lint types imports bench clean

run: .venv/installed
	.venv/bin/omi-bridge serve -c $(CONFIG)

test: .venv/installed
	.venv/bin/python -m pytest

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/installed
	.venv/bin/mypy

imports: .venv/installed
	.venv/bin/lint-imports

clean:
	rm -rf .venv

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@
