# Everything here starts from nothing: a target that needs the environment makes it first (see .ci/setup).
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test check soak bench snapshots clean

# Where it is set, every process that starts here would compile the project's modules again.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

setup: ## create or update .venv from the lock file (instant when nothing changed)
	@.ci/setup

run: setup ## start Quarterdeck; arguments go in ARGS="..."
	@exec $(PY) -m tui $(ARGS)

test: setup ## run the tests; more pytest arguments go in ARGS="..."
	@.ci/system-deps
	@.ci/test-deps
	@.ci/test $(ARGS)

soak: setup ## the random tests (properties, fuzz, kills) many times over; how many in SOAK=20
	@.ci/system-deps
	@QUARTERDECK_SOAK=$(or $(SOAK),20) $(PY) -m pytest -n 2 --timeout 3600 -q $(or $(ARGS),tests/loop tests/store tests/unit tests/e2e)

snapshots: setup ## write down anew what every screen looks like (tests/snapshots/seen); look at the diff before it is kept
	@QUARTERDECK_SNAPSHOTS=write $(PY) -m pytest -n 2 -q $(or $(ARGS),tests/snapshots)
	@git --no-pager diff --stat -- tests/snapshots/seen || true

bench: setup ## print the figures: start, overhead, CPU per token (ratios; nothing passes or fails)
	@$(PY) -m tests.bench $(ARGS)

check: setup ## lint, formatting, types and import layers
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports --no-cache
	$(PY) -m pyright

clean: ## remove .venv and every cache
	rm -rf .venv .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
