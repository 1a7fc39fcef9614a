# One environment, .venv, which grows: `run` puts into it what running needs, `test` what tests need besides, and the
# others what developers do. Python compiles what it uses when it uses it, which is less than pip would compile.
PYTHON ?= python3
CONFIG ?= config.example.yaml
EXTRAS ?=
BENCHES ?= cached live hung weather remembered store csv_load reread snapshot capacity phone

INSTALL := .venv/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --constraint constraints.txt
LOWEST := .venv-lowest/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --constraint
PYTEST := .venv/bin/python -m pytest

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install run test test-system test-all test-lowest coverage check lint types imports format translations bench dist constraints clean force

help:          ## what there is
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

install: .venv/installed                ## the environment for running, in .venv; EXTRAS=postgresql,redis adds to it

run: .venv/installed                    ## serve config.example.yaml, or CONFIG=another.yaml
	.venv/bin/omi-bridge serve -c $(CONFIG)

test: .venv/testing                     ## the quick tests: they need Python and nothing else
	$(PYTEST) -m "not system" -n auto --dist loadfile

# Two at a time share the processor, and some of them are about hundredths of a second: what failed beside another test
# is tried once more alone, and has failed if it fails again.
test-system: .venv/testing              ## the other tests: with databases, proxies, faults and waiting
	$(PYTEST) -m system -n 2 --dist loadfile || $(PYTEST) -m system --last-failed --last-failed-no-failures none

# What is measured stays in .coverage until the next time.
test-all: export PYTEST_ADDOPTS = --cov --cov-append --cov-report=
test-all: .venv/testing                 ## every test, and how much of the code they run
	rm -f .coverage
	$(MAKE) test test-system coverage

coverage: .venv/testing                 ## what the last test-all ran of each module
	.venv/bin/coverage report

# What drives a browser, for tests of tests/service, wants newer libraries than those.
test-lowest: .venv-lowest/installed     ## the quick tests, and those with Redis and databases, on the lowest versions allowed
	.venv-lowest/bin/python -m pytest -n auto --dist loadfile -m "not system" --ignore tests/service
	.venv-lowest/bin/python -m pytest -m system tests/bridge/storage/shared tests/connectors/sql

check: lint types imports               ## what a linter, a type checker and the rules of imports say

lint: .venv/developing
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/developing
	.venv/bin/mypy

imports: .venv/developing
	.venv/bin/lint-imports

format: .venv/developing                ## lay the code out as `check` wants it
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

LANGUAGE := bridge/console/translations/vi/LC_MESSAGES/messages
translations: .venv/developing          ## find the console's words, for bridge/console/translations, and put in what is translated
	.venv/bin/pybabel --quiet extract --mapping pyproject.toml --no-location --sort-output --omit-header -o words.pot bridge/console
	.venv/bin/pybabel --quiet update --input words.pot --output-file $(LANGUAGE).po --locale vi --no-wrap --omit-header --no-fuzzy-matching
	.venv/bin/pybabel --quiet compile --use-fuzzy --input $(LANGUAGE).po --output-file $(LANGUAGE).mo --locale vi
	rm words.pot

bench: .venv/testing                    ## the figures of bench/README.md, in twelve minutes; BENCHES="phone live" for some
	for name in $(BENCHES); do echo "== $$name"; timeout 300 .venv/bin/python bench/$$name.py || exit; done

dist: .venv/developing                  ## a wheel and a source archive in dist/, the versions to install with them, and checksums
	rm -rf dist
	.venv/bin/python -m build --outdir dist .
	cp constraints.txt dist
	cd dist && sha256sum *.whl *.tar.gz constraints.txt > SHA256SUMS

constraints:                            ## renew constraints.txt: the newest versions that the bounds allow
	rm -rf .venv-newest
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[dev]'
	(grep '^#' constraints.txt; .venv-newest/bin/python -m pip freeze --exclude-editable) > constraints.new
	mv constraints.new constraints.txt
	rm -rf .venv-newest

clean:                                  ## remove the environments and what was built and measured
	rm -rf .venv .venv-lowest .venv-newest .coverage build dist *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/installed: pyproject.toml constraints.txt $(if $(EXTRAS),force) | .venv/bin/python
	$(INSTALL) --editable '.$(if $(EXTRAS),[$(EXTRAS)])'
	touch $@

.venv/testing: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) --editable '.[test]'
	touch $@ .venv/installed

.venv/developing: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) --editable '.[dev]'
	touch $@ .venv/testing .venv/installed

# The lowest versions that pyproject.toml allows of what it names; the tools as everywhere.
.venv-lowest/installed: pyproject.toml constraints.txt
	rm -rf .venv-lowest
	$(PYTHON) -m venv .venv-lowest
	sed -nE '/^dependencies/,/^test/s/^[^#]*"([a-z0-9-]+)(\[[a-z]+\])?>=([0-9.]+).*/\1==\3/p' pyproject.toml > .venv-lowest/lowest.txt
	$(LOWEST) .venv-lowest/lowest.txt --editable '.[console,ldap,mssql,mysql,postgresql,redis,xlsx]'
	$(LOWEST) constraints.txt aiosmtpd hypothesis jsonschema pytest pytest-xdist xlsxwriter
	touch $@
