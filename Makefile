# Everything a person types. `make` alone says what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
# Linear algebra in one thread: the work is many small pieces, and the cores are shared.
export OPENBLAS_NUM_THREADS := 1

.PHONY: help install demo test check lint soak bench docs lock clean
.DEFAULT_GOAL := help

help:  ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

install: $(VENV)/installed  ## prepare .venv

demo: install  ## start everything, run the main job, leave the server up (ONCE=1: end when done)
	@$(BIN)/holdfast demo $(if $(ONCE),--once)

test: $(VENV)/installed-test  ## install what the tests need, then run every check
	@scripts/debian-packages
	@scripts/run-tests

check: test  ## what CI runs

lint: $(VENV)/installed-test
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-timing --no-logo 2>/dev/null || $(BIN)/lint-imports

soak: $(VENV)/installed-test  ## the long profiles of the property tests
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest --timeout=7200

bench: $(VENV)/installed-bench .venv-perception/installed  ## measure against the peers, side by side; writes bench/results.json
	$(BIN)/python -m bench --out bench/results.json

docs: install  ## write the generated pages of docs/ anew
	$(BIN)/python docs/reference.py

lock: install  ## choose dependencies anew (none younger than a week)
	@scripts/lock

clean:  ## forget the virtual environment and what tools left behind
	rm -rf $(VENV) .venv-perception demo-sheet .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/uv: requirements/tools.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Holdfast needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV) || { echo "Try: apt install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.lock
	@touch $@

$(VENV)/installed: $(VENV)/bin/uv requirements/run.lock pyproject.toml
	@echo "Installing Holdfast into $(VENV)"
	@$(UV) --require-hashes -r requirements/run.lock
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed requirements/test.lock
	@echo "Installing what the tests need"
	@$(UV) --require-hashes -r requirements/test.lock
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed requirements/bench.lock
	@echo "Installing the peers to measure against"
	@$(UV) --require-hashes -r requirements/bench.lock
	@touch $@

.venv-perception/installed: $(VENV)/bin/uv requirements/bench-perception.lock
	@echo "Installing Thorn's perception apart from the other peers"
	@$(PYTHON) -m venv .venv-perception
	@$(BIN)/uv pip install --quiet --python .venv-perception/bin/python --require-hashes -r requirements/bench-perception.lock
	@touch $@
