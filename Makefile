# Everything here starts from nothing: a target that needs the environment makes it first (see .ci/setup).
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test check clean

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

setup: ## create or update .venv from the lock file (instant when nothing changed)
	@.ci/setup

run: setup ## start Quarterdeck; arguments go in ARGS="..."
	@exec $(PY) -m tui $(ARGS)

test: setup ## run the tests; more pytest arguments go in ARGS="..."
	@.ci/system-deps
	@$(PY) -m pytest -n 2 --timeout 120 --durations 10 $(ARGS)

check: setup ## lint, formatting, types and import layers
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports --no-cache
	$(PY) -m pyright

clean: ## remove .venv and every cache
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
