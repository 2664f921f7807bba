# `make run` starts everything; `make test` tests everything. Both install what they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

.PHONY: help run test lint bench e2e screenshots lock format clean

help:  ## Show the commands
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

$(VENV)/.runtime: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the server needs (once; about a minute) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "Installing what the tests need (once) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

run: $(VENV)/.runtime  ## Install, migrate, seed and start everything
	@$(BIN)/python -m higherself.firstrun
	@exec $(MANAGE) serve --first-run

test: $(VENV)/.dev  ## Run the whole test suite, on SQLite and PostgreSQL
	@$(BIN)/python -m tests.run

lint: $(VENV)/.dev  ## ruff, mypy, import rules, missing migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@DJANGO_SETTINGS_MODULE=tests.settings $(MANAGE) makemigrations --check --dry-run
	@DJANGO_SETTINGS_MODULE=tests.settings $(MANAGE) check --fail-level WARNING

format: $(VENV)/.dev  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev  ## Measure; JSON on stdout, a table on stderr
	@$(BIN)/python -m bench

e2e: $(VENV)/.dev  ## Drive the console with a real browser
	@$(BIN)/python -m tests.e2e.run

screenshots: $(VENV)/.dev  ## Take the pictures of the console for docs/
	@$(BIN)/python -m tests.e2e.run tests/e2e/pictures.py

lock:  ## Renew the locked requirements (needs uv)
	uv pip compile --universal --python-version 3.10 --no-emit-index-url --no-header --generate-hashes requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.10 --no-emit-index-url --no-header --generate-hashes requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.10 --no-emit-index-url --no-header --generate-hashes requirements-ai.in -o requirements-ai.txt

clean:  ## Remove the local data (not .env)
	rm -rf var
