# Two commands matter: `make run` and `make test`. Both set up what they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)

.PHONY: help setup test-setup run test check bench lock

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

setup: .venv/ready ## Make .venv with everything that is locked in requirements/

.venv/ready: requirements/development.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/development.txt
	touch $@

run: setup ## Run the console with the sandbox service; everything it makes lies under var/
	$(BIN)/python manage.py demo

test-setup: setup ## Find or install what the tests need beside Python: a browser, and services that are real
	$(BIN)/python tests/setup.py

test: test-setup ## Test on SQLite, and what uses rows on PostgreSQL too, in parallel
	$(BIN)/python -m pytest --database sqlite
	$(BIN)/python -m pytest --database postgresql -m rows

check: setup ## Lint, types, templates, routes and their rules, migrations, catalogue
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	SECRET_KEY=types CRYPTOGRAPHY_KEYS=types PUBLIC_URL=http://types DATABASE_URL=sqlite://:memory: $(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates sandbox/templates
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check_connectors

bench: setup ## Measure every page; prints a table and writes var/bench.json
	$(BIN)/python -m tests.bench

lock: setup ## Resolve the dependencies anew into requirements/
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --upgrade pyproject.toml -o requirements/production.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --upgrade pyproject.toml --group dev -o requirements/development.txt
