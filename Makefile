# make demo, make test and make setup do the whole set-up by themselves: nothing but Python (3.11 to 3.13), make and git
# is needed. Everything they install goes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test setup lint format bench locks clean
VENV := .venv
BIN := $(VENV)/bin
# setuptools warns of every editable installation.
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --disable-pip-version-check --quiet
STAMP_RUN := $(VENV)/.set-up
STAMP_TEST := $(VENV)/.set-up-test

help:  ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(STAMP_RUN)  ## simulated cameras, recorded and shown in a page; Ctrl-C ends all (make demo ARGS="--cameras 9")
	@$(BIN)/nvr demo $(ARGS)

test: $(STAMP_TEST)  ## every test (make test ARGS=tests/web runs some)
	@$(BIN)/python -m pytest -n 4 --dist worksteal -m "not serial" $(ARGS)  # they mostly wait, for cameras and clocks
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m serial $(ARGS) || [ $$? -eq 5 ]  # 5: none of them among ARGS

setup: $(STAMP_RUN)  ## the set-up alone; afterwards .venv/bin/nvr works

lint: $(STAMP_TEST)  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP_TEST)  ## lets ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP_RUN)  ## measures what the design promises (make bench ARGS=--help)
	@$(BIN)/nvr bench $(ARGS)

# The stamps are younger than what they were made from, so a second run installs nothing.
$(STAMP_RUN): requirements.lock pyproject.toml | $(BIN)/python
	@[ -e $(STAMP_TEST) ] || { echo "installing what requirements.lock names (about a minute)"; \
	  $(PIP) install --require-hashes -r requirements.lock; }
	@[ ! -e $(STAMP_TEST) ] || $(PIP) install --require-hashes -r requirements-test.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(STAMP_TEST): requirements-test.lock pyproject.toml | $(BIN)/python
	@echo "installing what requirements-test.lock names (some minutes)"
	@$(PIP) install --require-hashes -r requirements-test.lock
	@$(PIP) install --no-deps --editable .
	@touch $@ $(STAMP_RUN)

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null \
	    || { echo "$$python has no venv: sudo apt-get install python3-venv" >&2; exit 1; }; \
	  "$$python" -m venv $(VENV); exit 0; \
	done; \
	echo "no Python 3.11, 3.12 or 3.13 found: sudo apt-get install python3 python3-venv, or name one: make PYTHON=/path" >&2; \
	exit 1

locks:  ## resolves pyproject.toml anew into the two locks (needs uv)
	@options="--quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11"; \
	uv pip compile $$options --custom-compile-command "make locks" --output-file requirements.lock pyproject.toml; \
	uv pip compile $$options --custom-compile-command "make locks" --all-extras --output-file requirements-test.lock \
	  pyproject.toml

clean:  ## removes the set-up and what tests left; never footage
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis nvr.egg-info build
