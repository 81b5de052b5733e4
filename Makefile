# One place for the commands people and CI use. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# Number of test processes: `make test TESTS=4`, `make test ARGS="-k planner -x"`.
TESTS ?= 2
ARGS ?=

.PHONY: help
help:  ## list these commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# --- environment ------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(VENV)/.ready  ## make .venv from the lock file, with ignrun in it; quick when nothing changed

$(VENV)/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "ignrun needs Python 3.11 or newer; $(PYTHON) is %d.%d\nhint: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" % v[:2])'
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing what requirements.lock names"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: compiled
compiled: setup
	@$(BIN)/python -m compileall -q -j 0 ignrun

.PHONY: lock
lock:  ## write requirements.lock anew from pyproject.toml (needs the network; UPGRADE=1 takes newest releases)
	@$(PYTHON) -m venv .venv/lock-tool
	@.venv/lock-tool/bin/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION)
	@.venv/lock-tool/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-config --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
		$(if $(UPGRADE),--upgrade) --output-file requirements.lock

.PHONY: clean
clean:  ## remove .venv and everything the tools left behind
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the product ------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: compiled  ## apply the demo plant, show its status, take it down again
	@$(BIN)/ignrun demo $(ARGS)

# --- what CI runs -----------------------------------------------------------------------------------------------------

.PHONY: check
check: setup format-check lint types contracts deps docs-check test  ## everything CI runs, tests last

.PHONY: format
format: setup  ## rewrite the code in the house format, fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: format-check
format-check: setup  ## is the code formatted
	@echo "format"; $(BIN)/ruff format --check --quiet . || { echo "hint: make format"; exit 1; }

.PHONY: lint
lint: setup  ## ruff with every rule, bar those pyproject.toml gives a reason for
	@echo "lint"; $(BIN)/ruff check --quiet .

.PHONY: types
types: setup  ## mypy, strict
	@echo "types"; $(BIN)/mypy

.PHONY: contracts
contracts: setup  ## may this room import that one
	@echo "contracts"; $(BIN)/lint-imports --no-logo

.PHONY: deps
deps: setup  ## is what is imported declared, and what is declared imported
	@echo "deps"; $(BIN)/deptry .

.PHONY: docs-check
docs-check: setup  ## do links resolve, do docs and code list the same things
	@echo "docs"; $(BIN)/python -m tests.house.docs

.PHONY: editor
editor: setup  ## install what the editor tests speak to, from the npm registry; quick when nothing changed
	@$(BIN)/python -m tests.editor.install

.PHONY: test
test: compiled editor  ## the tests, in random order, in two processes
	@$(BIN)/python -m pytest -n $(TESTS) $(ARGS)

.PHONY: reference
reference: setup  ## write the generated pages anew: commands, exit codes, diagnostics
	@$(BIN)/python -m tests.rooms.cli.reference
	@$(BIN)/python -m tests.rooms.manifest.reference
	@$(BIN)/python -m tests.rooms.render.pages
	@$(BIN)/python -m tests.rooms.render.outputs
	@$(BIN)/python -m tests.rooms.render.screens

# --- on request -------------------------------------------------------------------------------------------------------

.PHONY: bench
bench: compiled  ## measure what the promises give figures for
	@$(BIN)/python tests/bench/bench.py $(ARGS)

.PHONY: torture
torture: compiled  ## kill, fill and cut until something gives
	@$(BIN)/python -m pytest tests -m torture --timeout 600 $(ARGS)
