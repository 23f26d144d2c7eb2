# `make run` and `make test` need nothing but Python >= 3.11, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
# Each takes 1.5 GB; a file's tests stay in one, which loads their models once.
TEST_PROCESSES ?= 2
# Files or folders of tests; all if empty.
TESTS ?=
# The tests start a hundred processes, each of which would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run serve test check notebooks sbom newest clean

help:
	@echo "make run        install, start the service, send it a first request, keep serving"
	@echo "make test       install, then lint, types and all tests"
	@echo "make notebooks  install, then run the notebooks against a service that runs, and keep their outputs"
	@echo "make newest     install the newest releases of everything apart, test them, write constraints-tested.txt"
	@echo "make sbom       write sbom.json, the bill of materials of .venv"
	@echo "make clean      remove the virtual environment and caches"

$(VENV)/installed: pyproject.toml client/pyproject.toml setup.py models/language/forward/layer.c constraints-cpu.txt
	$(PYTHON) -c 'import sys; sys.exit("chainwright needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints-cpu.txt -e ./client -e '.[dev]'
	touch $@

install: $(VENV)/installed

run: install
	$(BIN)/chainwright serve --host $(HOST) --port $(PORT) --first-request

serve: install
	$(BIN)/chainwright serve --host $(HOST) --port $(PORT)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile $(TESTS)

# In an environment of its own; only what passes the tests is written down.
newest:
	rm -rf .newest
	$(MAKE) VENV=.newest test
	{ echo "# Releases that passed together: make newest$(if $(TESTS), TESTS='$(TESTS)'), $$(date -u +%F), \
	$$(.newest/bin/python --version), $$(uname -sm)."; \
	.newest/bin/python -m pip freeze --exclude-editable | sed 's/+[^+]*$$//'; } > constraints-tested.txt

sbom: install
	$(BIN)/python docker/sbom $(BIN)/python sbom.json

# Against the service at CHAINWRIGHT_URL, or of `make run`.
notebooks: install
	$(BIN)/python -m tests.support.notebooks

clean:
	rm -rf $(VENV) .newest sbom.json build dist *.egg-info client/build client/*.egg-info models/language/forward/*.so .import_linter_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
