# Escalation Desk. `make` lists the targets; every target sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup run test test-sqlite test-postgres test-browser coverage check format lock bench bench-load prove chaos docs shots
PY := .venv/bin/python
PYTEST := .venv/bin/pytest
LOCK := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
# Tests start many processes, which start faster from compiled files.
unexport PYTHONDONTWRITEBYTECODE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile

setup: ## Create .venv with all that development and tests need
	@.ci/setup.sh dev

run: ## Start Escalation Desk on http://127.0.0.1:8000 (PORT=, DATABASE_URL=, EMAIL_URL= change where)
	@.ci/setup.sh run
	@$(PY) -m config.keys
	@exec $(PY) manage.py run_desk

test: setup ## Run every test on one database, tests about the database on both, and the browser tests
	@$(PY) -m tests.run

test-sqlite: setup ## Run the tests on SQLite
	@$(PY) -m tests.run sqlite

test-postgres: setup ## Run the tests about the database on PostgreSQL
	@$(PY) -m tests.run postgres

test-browser: setup ## Run the browser tests; screenshots are in test-output/
	@$(PY) -m tests.run browser

coverage: setup ## Measure which lines and branches of the product the tests on SQLite run (bar: 92 %)
	@rm -rf var/coverage && mkdir -p var/coverage
	@.venv/bin/coverage run -m tests.run sqlite
	@.venv/bin/coverage combine --quiet
	@.venv/bin/coverage report

check: setup ## Lint, format, types, layers, dependencies, migrations, deployment settings, house rules
	@.ci/check.sh

format: setup ## Format the code and the templates
	@.venv/bin/ruff check --quiet --fix . || true
	@.venv/bin/ruff format --quiet .
	@find templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --target-version 5.2 || true
	@.venv/bin/djlint --quiet --reformat templates || true

lock: setup ## Pin and hash the requirements
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt

bench: setup ## Measure pages, engine and memory on filled databases kept under var/bench (20 minutes; the first time 45)
	@$(PY) -m tests.support.with_postgres --keep var/bench/postgres bench

bench-load: setup ## Measure 16 clients at once, with the engine at work, on both databases (8 minutes)
	@$(PY) -m tests.support.with_postgres --keep var/bench/postgres bench --load

prove: setup ## Run the long forms of the property and race tests, on both databases (hours)
	@PROVE=1 TEST_DATABASE=sqlite $(PYTEST) -q -m prove
	@PROVE=1 TEST_DATABASE=postgres $(PYTEST) -q -m prove

chaos: setup ## Run the fault tests on both databases: processes killed while the desk works (three quarters of an hour)
	@TEST_DATABASE=sqlite $(PYTEST) -q -m chaos
	@TEST_DATABASE=postgres $(PYTEST) -q -m chaos tests/config/test_chaos_clocks.py

docs: setup ## Generate docs/states.md from the transition table
	@$(PY) manage.py states_doc docs/states.md

shots: setup ## Take a picture of every screen into test-output/
	@$(PYTEST) -q -m browser tests/flows
