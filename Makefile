# Forbear: `make demo` and `make test` are the whole set-up on a fresh machine.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA   ?=
KILLS  ?= 300
MINUTES ?= 60
SEED   ?= 1

.PHONY: help env demo test soak lock clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

env: $(VENV)/.ready  ## make the environment from the hashed lock

$(VENV)/.ready: requirements/build.txt requirements/lock.txt pyproject.toml
	@echo "Forbear: making the environment in $(VENV) (about a minute) ..."
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Forbear needs Python 3.11, 3.12 or 3.13; this is %d.%d. Try: make PYTHON=python3.12" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r requirements/build.txt
	@CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-build-isolation --require-hashes -r requirements/lock.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import durable_rules_engine'
	@touch $@

demo: env  ## see the whole idea work on sample data, or on DATA=<file>
	@$(BIN)/forbear demo $(if $(DATA),--data "$(DATA)",)

test: env  ## every check: types, lint, import contracts, tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

soak: env  ## hundreds of kills and an hour of any bytes; taken up again where it was ended
	@$(BIN)/python -m tests.soak --kills $(KILLS) --minutes $(MINUTES) --seed $(SEED)

lock:  ## compile the lock anew (needs uv; only for those who change requirements)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q requirements/build.in -o requirements/build.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q requirements/lock.in -o requirements/lock.txt

clean:  ## remove the environment and the demo's data
	@rm -rf $(VENV) .forbear .forbear-*
