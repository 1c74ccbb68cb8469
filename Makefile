# Everything here needs a machine with `python3` (3.11 or newer) and nothing else:
# the tools go into .venv, which is made once and again when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
# Most of what is installed is never imported, so nothing is compiled before it is.
QUIETLY := --quiet --no-compile --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help mutants demo test lint format types floors pytest newer proto whole contract openapi soak crash bench fuzz clean

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

demo: $(STAMP) ## Start a server, publish the savings account, play it over gRPC and HTTP, end it
	@$(BIN)/python -m examples.savings_account.demo

test: lint types floors pytest newer ## Everything: lint, types, floors, tests, tests on a newer Python

lint: $(STAMP) ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## Let ruff write the format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## mypy --strict, and pyright for the public API as it is used
	$(BIN)/mypy --num-workers $(WORKERS)
	@if $(BIN)/pyright --version >/dev/null 2>&1; then $(BIN)/pyright; \
	else echo "pyright cannot run here (it needs node.js, or a network to fetch it): skipped"; fi

floors: $(STAMP) ## import-linter: which package may import which
	$(BIN)/lint-imports

pytest: $(STAMP) ## The tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

# What may differ with the Python; the memory that calls leave behind takes as long as a third of that, and does not.
# A newer Python is looked for on the PATH and among pyenv's; one that does not start does not count.
NEWER_TESTS ?= tests/unit/artifact tests/unit/build tests/unit/cli tests/unit/core tests/unit/functions \
	tests/unit/host tests/unit/instant
newer: $(STAMP) ## Unit tests on a newer Python, where there is one (NEWER_TESTS=tests/unit: all of them)
	@for candidate in python3.14 python3.13 python3.12 \
			$$(ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.1[2-9].*/bin/python3 2>/dev/null | sort -rV); do \
		if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then \
			found="$$candidate"; break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then echo "no Python newer than 3.11 on this machine: skipped"; exit 0; fi; \
	echo "unit tests on $$("$$found" --version)"; \
	if [ ! -e .venv-newer/.installed ] || [ pyproject.toml -nt .venv-newer/.installed ]; then \
		"$$found" -m venv --clear .venv-newer \
			&& .venv-newer/bin/python -m pip install $(QUIETLY) -e '.[unit]' \
			&& touch .venv-newer/.installed || exit 1; \
	fi; \
	HYPOTHESIS_PROFILE=brief .venv-newer/bin/python -m pytest -n $(WORKERS) --dist loadgroup \
		--ignore=tests/unit/host/packed/test_memory.py $(NEWER_TESTS)

proto: $(STAMP) ## Write the Python code of the gRPC contract (interface/proto)
	$(BIN)/python -m tests.tools.generate_protobuf

whole: $(STAMP) ## The tests with everything that `make test` runs a shorter form of (half an hour)
	EVIDENTSOURCE_WHOLE=1 EVIDENTSOURCE_WHOLE_CONTRACT=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

contract: $(STAMP) ## The whole contract for databases, over gRPC (the test run has parts of it)
	EVIDENTSOURCE_WHOLE_CONTRACT=1 $(BIN)/python -m pytest -n $(WORKERS) tests/server/test_contract.py

openapi: $(STAMP) ## 1,000 requests of every kind that the OpenAPI document allows (the test run has some)
	OPENAPI_EXAMPLES=1000 $(BIN)/python -m pytest tests/server/http/test_openapi.py

soak: $(STAMP) ## 20,000 calls with traps, and a server's bad days: memory and open files stay flat
	@$(BIN)/python -m tests.soak.host
	@$(BIN)/python -m tests.soak.server

bench: $(STAMP) ## What everything costs, beside limits and peers: one table, ratios first
	@$(BIN)/python -m benchmarks

FUZZ_SECONDS ?= 600
fuzz: $(STAMP) ## What reads values of others, fuzzed for 10 minutes (FUZZ_SECONDS=600)
	@$(BIN)/python -m tests.fuzz.boundary --seconds $(FUZZ_SECONDS)

crash: $(STAMP) ## The long search for lost transactions: power cuts, kills, histories of many threads
	@$(BIN)/python -m tests.crash.power --seconds 120
	@$(BIN)/python -m tests.crash.power --seconds 15 --synchronous NORMAL
	@$(BIN)/python -m tests.crash.killing --times 100
	@$(BIN)/python -m tests.crash.served --times 50
	@$(BIN)/python -m tests.crash.histories --times 50

mutants: $(STAMP) ## Change the savings account's rules one at a time: its scenarios notice at least 95 %
	@$(BIN)/python -m tests.tools.mutants

clean: ## Remove what was made here (built components in the user's cache stay)
	rm -rf $(VENV) .venv-newer dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests examples -name __pycache__ -prune -exec rm -rf {} +

$(STAMP): pyproject.toml
	@echo "installing into $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11; say which one to use: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install $(QUIETLY) -e '.[dev]'
	@touch $(STAMP)
