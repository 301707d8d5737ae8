SHELL := bash
.DEFAULT_GOAL := help

# The first interpreter that is new enough and can make a virtual environment. Each is run,
# not only looked up: a version manager's shim may be there for a Python that is not.
PYTHON = $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && command -v $$name && break; done)
PIP = .venv/bin/python -m pip --disable-pip-version-check --no-input
UV ?= uv
# Two at a time, each with a broker of its own; the tests of one file stay together, and the
# files in the order of tests/conftest.py.
PYTEST = .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# $(call section,NAME,COMMAND): run the command, then say how long it took.
section = @start=$$(date +%s); $(2); status=$$?; \
	echo "== $(1): $$(($$(date +%s) - start)) s"; exit $$status

.PHONY: help
help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: install
install: .venv/.stamp  ## Make .venv with everything the lock names, and driftline itself

.venv/.stamp: requirements.lock pyproject.toml
	@echo "installing into .venv"
	@test -n "$(PYTHON)" || { tools/needs.sh --say python; exit 1; }
	@.venv/bin/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: install  ## Run the whole pipeline in one process and watch it learn
	.venv/bin/driftline demo $(ARGS)

# The needs come before the environment: on a new machine they bring Python itself.
.PHONY: test
test:  ## Run the tests, against a real broker too; as root on Debian or Ubuntu, install the needs
	$(call section,needs,tools/needs.sh)
	$(call section,install,$(MAKE) --no-print-directory install)
	$(call section,tests,$(PYTEST) -m "not slow" $(ARGS))

.PHONY: test-slow
test-slow: install  ## Run the tests that take their time, which 'make test' leaves out: kills, cuts, floods
	$(call section,slow tests,$(PYTEST) -m slow $(ARGS))

.PHONY: battery
battery: install  ## Run the long tests by rows, for hours; ARGS=--list, or ARGS="--row NAME"
	.venv/bin/python tools/battery.py $(ARGS)

.PHONY: lint
lint: install  ## Check format, style and types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

.PHONY: check
check: lint  ## Check all that needs no broker: lint, then the tests
	$(PYTEST) -m "not kafka" $(ARGS)

.PHONY: audit
audit: .cache/audit/.stamp  ## Look for known holes in what the locks name, and for secrets in the files
	.cache/audit/bin/python tools/audit.py

.cache/audit/.stamp: requirements-audit.lock
	@test -n "$(PYTHON)" || { tools/needs.sh --say python; exit 1; }
	@$(PYTHON) -m venv --clear .cache/audit
	@.cache/audit/bin/python -m pip --disable-pip-version-check --no-input install --quiet \
		--require-hashes -r requirements-audit.lock
	@touch $@

.PHONY: bench
bench: install  ## Measure the numbers that README reports
	.venv/bin/python benchmarks/run.py $(ARGS)

.PHONY: up
up:  ## Build the image and run the whole stack in Docker; ARGS="--scale learner=3"
	REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) tools/compose.sh up --detach --build $(ARGS)
	@echo "docs/docker.md says what listens where; 'make down' stops it"

.PHONY: down
down:  ## Stop the stack and keep its data; ARGS=--volumes to lose them
	tools/compose.sh down $(ARGS)

.PHONY: test-compose
test-compose: install  ## Test the image and the stack on whatever Docker answers
	tools/needs.sh --get compose podman-compose
	$(call section,compose,.venv/bin/python -m pytest tests/compose $(ARGS))

.PHONY: kafka
kafka:  ## Run a Kafka broker in the foreground
	$(PYTHON) tools/kafka.py run $(ARGS)

.PHONY: lock
lock:  ## Renew requirements.lock within the bounds of pyproject.toml
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(UV) pip compile --quiet --no-config --upgrade --universal --python-version 3.11 --group dev --all-extras \
		--generate-hashes --custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml
	$(UV) pip compile --quiet --no-config --upgrade --universal --python-version 3.11 \
		--group pyproject.toml:audit --generate-hashes --custom-compile-command "make lock" \
		--output-file requirements-audit.lock

.PHONY: generate
generate: install  ## Renew docs/metrics.md, the dashboards, and the names on the live page
	.venv/bin/python -m tools.metrics && .venv/bin/python -m tools.dashboards && .venv/bin/python -m tools.names

.PHONY: clean
clean:  ## Remove .venv and all that tools leave behind, but no data
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
