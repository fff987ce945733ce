# One command each. The environment is made from hash-locked files on first use; uv is used where it is installed.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DOUBLE := .venv-double
PEOPLE ?= 400
DAYS ?= 5
SEED ?= 1
PROFILE ?= outpatient
ROWS ?= 1000000

.PHONY: help demo test test-fast cases lint ui catalog soak mutants bench identity-bench lock chromium clean
help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

define install
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is needed. Remedy: install Python 3.11, or make PYTHON=python3"; exit 2; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@if command -v uv >/dev/null 2>&1; then VIRTUAL_ENV=$(CURDIR)/$(1) uv pip sync -q --compile-bytecode --require-hashes $(2); \
	 else echo "Installing $(2) (about 80 s) ..."; $(1)/bin/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r $(2); fi
endef

$(VENV)/.runtime: requirements/runtime.txt
	$(call install,$(VENV),requirements/runtime.txt)
	@sh requirements/link.sh $(VENV)
	@touch $@

$(VENV)/.development: requirements/development.txt
	$(call install,$(VENV),requirements/development.txt)
	@sh requirements/link.sh $(VENV)
	@touch $@ $(VENV)/.runtime

$(DOUBLE)/.installed: requirements/snowflake_double.txt
	$(call install,$(DOUBLE),requirements/snowflake_double.txt)
	@touch $@

demo: $(VENV)/.runtime ## Synthetic network from received bytes to marts, in about two minutes
	@$(BIN)/lakehouse demo --people $(PEOPLE) --days $(DAYS)

ui: $(VENV)/.runtime ## The Dagster UI on http://127.0.0.1:3000
	@$(BIN)/lakehouse ui

catalog: $(VENV)/.runtime ## The audit catalog on http://127.0.0.1:8000
	@$(BIN)/lakehouse catalog serve

chromium:
	@command -v chromium >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	 apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	 || echo "chromium is not installed and cannot be installed here: the browser tests will say that they are skipped"

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/.development $(DOUBLE)/.installed chromium lint ## All tests; three workers on two cores, since a third of the time is waiting for the disk
	LAKEHOUSE_DOUBLE=$(CURDIR)/$(DOUBLE) $(BIN)/python -m pytest -n 3 --dist loadfile -rs --durations=25

test-fast: $(VENV)/.development ## Unit and SQL tests
	$(BIN)/python -m pytest -n 2 tests/unit tests/sql

cases: $(VENV)/.development ## The golden cases, or those of LAKEHOUSE_CASES_DIR, in every order of arrival
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/acceptance/test_cases.py

soak: $(VENV)/.development $(DOUBLE)/.installed ## The long forms of the invariants
	TMPDIR=$${TMPDIR:-/tmp} $(BIN)/python -m pytest -m soak tests

mutants: $(VENV)/.development $(DOUBLE)/.installed ## Plant a fault behind each promise and see its tests fail; MUTANTS="--only 3 17"
	@$(BIN)/python -m tests.mutations $(MUTANTS)

bench: $(VENV)/.development ## The benchmark table: medians beside named peers; ROWS=1000000 changed rows
	$(BIN)/python -m tests.bench --rows $(ROWS)

identity-bench: PEOPLE = 49000
identity-bench: POLICIES = strict balanced
identity-bench: PARTS = all
identity-bench: $(VENV)/.development ## The gates of patient identity: SEED="1 2 3" (pooled) PEOPLE=49000 PROFILE=outpatient
	@$(BIN)/python tests/identity_bench/gates.py --seed $(SEED) --people $(PEOPLE) --profile $(PROFILE) --policies $(POLICIES) \
	  --parts $(PARTS) --params '$(PARAMS)' --out .build/identity-bench

lock: ## Write the hash-locked requirements anew (needs uv)
	sh requirements/lock.sh

clean: ## Remove environments, builds and the local data root
	rm -rf $(VENV) $(DOUBLE) .build .lakehouse
