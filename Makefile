# The two commands a fresh machine needs: `make run` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BACKEND := backend
VENV := $(BACKEND)/.venv
STAMP := $(VENV)/.installed
PYTHON := $(VENV)/bin/python
TOOLS := .tools
# Commands below run in backend/, where these live under .venv.
IN_BACKEND := cd $(BACKEND) &&
RUN := .venv/bin

##@ Use
.PHONY: run
run: $(STAMP) ## Install what is missing, start the product on embedded defaults, say how to sign in
	@exec $(VENV)/bin/crewai-runner serve

.PHONY: migrate
migrate: $(STAMP) ## Bring the database to the newest schema
	@$(VENV)/bin/crewai-runner migrate

##@ Check
.PHONY: test
test: $(STAMP) ## Install what is missing and pass every check and test
	@$(MAKE) check
	@$(IN_BACKEND) $(RUN)/python -m pytest $(TEST_ARGS)

.PHONY: check
check: $(STAMP) ## Style, types, import contracts, a fresh API document; no tests
	@$(IN_BACKEND) $(RUN)/ruff check . && $(RUN)/ruff format --check .
	@$(IN_BACKEND) $(RUN)/mypy
	@$(IN_BACKEND) $(RUN)/lint-imports --no-cache > .import-contracts.log || { cat .import-contracts.log; exit 1; }
	@$(IN_BACKEND) rm -f .import-contracts.log
	@$(MAKE) openapi-check

.PHONY: bench
bench: $(STAMP) ## Measure against bare CrewAI and bare FastAPI in the same run (BENCH_ARGS=--quick)
	@$(IN_BACKEND) $(RUN)/python -m benchmarks $(BENCH_ARGS)

##@ Work on it
.PHONY: install
install: $(STAMP) ## Make the environment in backend/.venv from the lock

.PHONY: format
format: $(STAMP) ## Format the code
	@$(IN_BACKEND) $(RUN)/ruff check --fix . && $(RUN)/ruff format .

.PHONY: openapi
openapi: $(STAMP) ## Write backend/openapi.json
	@$(IN_BACKEND) $(RUN)/crewai-runner openapi openapi.json

.PHONY: openapi-check
openapi-check: $(STAMP) ## Fail when backend/openapi.json is stale
	@$(IN_BACKEND) $(RUN)/crewai-runner openapi - | cmp -s - openapi.json \
	  || { echo "backend/openapi.json is stale: run 'make openapi' and commit it." >&2; exit 1; }

.PHONY: migration
migration: $(STAMP) ## Write a migration of the tables' changes (NAME="what changes")
	@test -n "$(NAME)" || { echo 'Say what changes: make migration NAME="add tags to runs"' >&2; exit 1; }
	@$(IN_BACKEND) $(RUN)/alembic revision --autogenerate -m "$(NAME)"

.PHONY: lock
lock: $(STAMP) ## Renew backend/uv.lock
	@uv="$$($(FIND_UV))"; $(IN_BACKEND) "$$uv" lock --upgrade --python .venv/bin/python

.PHONY: clean
clean: ## Remove environments and caches; the data folder stays
	rm -rf $(VENV) $(TOOLS) $(BACKEND)/.mypy_cache $(BACKEND)/.ruff_cache $(BACKEND)/.pytest_cache $(BACKEND)/.hypothesis

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the environment ---------------------------------------------------------------------------
$(STAMP): $(BACKEND)/pyproject.toml $(BACKEND)/uv.lock
	@$(MAKE) environment
	@touch $(STAMP)

# A Python from 3.11 to 3.13 (3.12 by preference) is looked for on the PATH and among pyenv's; uv is
# taken from the PATH, or bootstrapped through pip into .tools/.
.PHONY: environment
environment:
	@python="$$($(FIND_PYTHON))" || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found." >&2; exit 1; }; \
	uv="$$($(FIND_UV))"; \
	if [ -z "$$uv" ]; then \
	  echo "Fetching uv ..."; "$$python" -m venv $(TOOLS); \
	  $(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"; \
	  uv="$(CURDIR)/$(TOOLS)/bin/uv"; \
	fi; \
	echo "Installing into $(VENV) with $$("$$python" --version) ..."; \
	cd $(BACKEND) && UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never \
	  "$$uv" sync --frozen --quiet --python "$$python" --extra local

FIND_PYTHON = for candidate in "$${PYTHON:-}" \
	  "$$HOME"/.pyenv/versions/3.12*/bin/python python3.12 \
	  "$$HOME"/.pyenv/versions/3.13*/bin/python python3.13 \
	  "$$HOME"/.pyenv/versions/3.11*/bin/python python3.11 python3 python; do \
	  [ -n "$$candidate" ] || continue; \
	  found="$$(command -v "$$candidate" 2>/dev/null)" || continue; \
	  "$$found" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	  echo "$$found"; exit 0; \
	done; exit 1
FIND_UV = for candidate in uv "$(CURDIR)/$(TOOLS)/bin/uv"; do \
	  found="$$(command -v "$$candidate" 2>/dev/null)" || continue; \
	  "$$found" --version >/dev/null 2>&1 || continue; \
	  echo "$$found"; exit 0; \
	done
