# Two commands matter: `make demo` (set-up and the main job) and `make test` (set-up and the tests).
PYTHON ?= python3
BIN := .venv/bin
RUN_LOCK := requirements.lock
DEV_LOCK := requirements-dev.lock

# One process more than there are cores, since tests wait for their servers; four at the most.
WORKERS := $(shell $(PYTHON) -c "import os; print(min(4, (os.cpu_count() or 1) + 1))")
UI_HOME := $(abspath $(or $(NIGHTSHIFT_HOME),.nightshift))

.PHONY: demo demo-aws test lint ui bench soak docs pictures backtest catalog lock clean

demo: .venv/run
	$(BIN)/nightshift demo

# Two AWS accounts on moto's server: inventory, metrics, verdicts, one approved change.
demo-aws: .venv/dev
	$(BIN)/nightshift demo --aws

# Bytecode is kept even where the environment says not to: each of the processes, and those that tests start, would compile anew.
test: .venv/dev
	$(BIN)/python -m ruff check .
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

lint: .venv/dev
	$(BIN)/python -m ruff check .

# The Dagster UI on http://localhost:3000, over the same home as the command line.
ui: .venv/run
	mkdir -p $(UI_HOME)/dagster
	cp -n templates/dagster.yaml $(UI_HOME)/dagster/dagster.yaml || true
	DAGSTER_HOME=$(UI_HOME)/dagster $(BIN)/dagster dev -w workspace.yaml

# Ratios against the best alternatives, in one run; see benchmarks/README.md.
bench: .venv/dev
	$(BIN)/python -m benchmarks.run

# Many more nights, days, clicks, schedules, repositories and places to be killed at than the tests have.
soak: .venv/dev
	NIGHTSHIFT_SOAK_EXAMPLES=60 NIGHTSHIFT_SOAK_STEPS=80 $(BIN)/python -m pytest -q tests/proposals/test_nights.py \
	  tests/action_items/test_months.py \
	  tests/approvals/test_state_machine.py tests/iac/test_against_terraform.py
	NIGHTSHIFT_SOAK_DAYS=14 NIGHTSHIFT_SOAK_SEAMS=1 $(BIN)/python -m pytest -q tests/defs/test_nightly.py tests/faults \
	  tests/approvals/test_killed_sagas.py tests/proposals/test_pull_requests.py
	NIGHTSHIFT_SOAK_SCHEDULES=10000 $(BIN)/python -m pytest -q tests/properties/test_blast_radius.py

# Regenerates the reference pages below docs/ from the code; a test compares them.
docs: .venv/dev
	$(BIN)/python -m docs.generate

# Rebuilds the shipped price and type snapshot from collected tables.
FROM ?= ../shared/data
catalog: .venv/run
	$(BIN)/python -m dagster_project.catalog.snapshot $(FROM)

# Both locks hold versions and hashes for every platform, and no address.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras --quiet \
	  --extra embedded --extra forecast --extra ui pyproject.toml --group build -o $(RUN_LOCK)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras --quiet \
	  --extra embedded --extra forecast --extra ui pyproject.toml --group build --group test --group lint --group bench \
	  -c $(RUN_LOCK) -o $(DEV_LOCK)

# The pictures of the README, from what the demo really writes.
pictures: .venv/dev
	$(BIN)/python -m docs.pictures

# Runs every rule on public traces and regenerates docs/backtest.md with its chart.
backtest: .venv/run
	$(BIN)/python -m docs.backtest_page $(FROM)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Nightshift needs Python 3.11 or newer; set PYTHON=python3.11, say.")'
	$(PYTHON) -m venv .venv

.venv/run: $(RUN_LOCK) pyproject.toml | .venv/bin/python
	@echo "Installing what Nightshift needs (a minute or two the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(RUN_LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venv/dev: $(DEV_LOCK) .venv/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(DEV_LOCK)
	touch $@

clean:
	rm -rf .venv .nightshift dist build
