# Start with `make run` or `make test`. Both set up what they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements/development.txt
# A copy of the lock, written last: without it an installation was interrupted or is out of date.
INSTALLED := .venv/installed.txt
DOCS := var/docs/venv
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --upgrade
export PYTHONPATH := $(CURDIR)

.PHONY: help setup install install-docs test-setup run test check coverage docs bench lighthouse lock

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

setup: ## Install the locked packages into .venv, unless they are there
	@cmp -s $(LOCK) $(INSTALLED) && $(BIN)/python -c "" || $(MAKE) --no-print-directory install

install: ## Remove .venv and install the locked packages again
	rm -rf .venv
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' $(LOCK) > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(LOCK)
	cp $(LOCK) $(INSTALLED)

run: setup ## Run the console and the sandbox service; all files are in var/
	$(BIN)/python manage.py demo

test-setup: setup ## Install what the tests need beside Python: a browser, services, linters
	$(BIN)/python -m tests.setup

test: test-setup ## Run all tests on SQLite, and those that use the database on PostgreSQL too
	$(BIN)/python -m pytest --database sqlite
	$(BIN)/python -m pytest --database postgresql -m rows

check: setup ## Check style, types, templates, migrations, the catalog and the language
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	SECRET_KEY=types CRYPTOGRAPHY_KEYS=types PUBLIC_URL=http://types DATABASE_URL=sqlite://:memory: $(BIN)/mypy
	$(BIN)/mypy --config-file sandbox/mypy.ini
	$(BIN)/djlint --lint --quiet templates sandbox/templates
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check_connectors
	$(BIN)/python -m tests.language

coverage: test-setup ## Measure which lines and branches the tests on SQLite run, without a browser
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --database sqlite -m "not browser"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --format=total

docs: setup ## Build the documentation site into var/docs/site; a broken link fails
	@cmp -s requirements/docs.txt $(DOCS)/installed.txt || $(MAKE) --no-print-directory install-docs
	$(DOCS)/bin/properdocs build --strict --quiet

install-docs:
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(DOCS)
	$(BIN)/uv pip install --quiet --python $(DOCS)/bin/python --require-hashes -r requirements/docs.txt
	cp requirements/docs.txt $(DOCS)/installed.txt

bench: setup ## Measure every page; print a table and write var/bench.json
	$(BIN)/python -m tests.bench

lighthouse: test-setup ## Measure pages with Lighthouse; print a table and write var/lighthouse.json
	$(BIN)/python -m tests.lighthouse

lock: setup ## Resolve the dependencies again and write requirements/
	$(COMPILE) pyproject.toml -o requirements/production.txt
	$(COMPILE) pyproject.toml --group dev -o requirements/development.txt
	$(COMPILE) --group docs -o requirements/docs.txt
