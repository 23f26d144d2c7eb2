# `make run` and `make test` need nothing but Python >= 3.11, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
# Each takes 1.5 GB; a file's tests stay in one, which loads their models once.
TEST_PROCESSES ?= 2

.PHONY: help install run serve test check notebooks clean

help:
	@echo "make run        install, start the service, send it a first request, keep serving"
	@echo "make test       install, then lint, types and all tests"
	@echo "make notebooks  install, then run the notebooks against a service that runs, and keep their outputs"
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
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

# Against the service at CHAINWRIGHT_URL, or of `make run`.
notebooks: install
	$(BIN)/python -m tests.support.notebooks

clean:
	rm -rf $(VENV) build dist *.egg-info client/build client/*.egg-info models/language/forward/*.so .import_linter_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
