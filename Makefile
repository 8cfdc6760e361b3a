# Everything starts here: each target first builds what is missing of the two environments.
.DEFAULT_GOAL := help
.PHONY: help env demo up down test test-fast test-contract lint lock bench-day bench-time clean
MAKEFLAGS += --no-print-directory
export TF_USE_LEGACY_KERAS = 1
export TF_CPP_MIN_LOG_LEVEL ?= 3

BIN := .venv/bin
STATE := .everlearn
# Files of tests side by side, a file's tests in one process, in order; ARGS="-n 0" runs all in one.
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

env:  ## build what is missing of .venv (pipeline) and .venv-airflow (scheduler)
	@tools/environment.sh

demo: env  ## real data, a first champion, three days under Airflow, recommendations over REST
	@$(BIN)/everlearn demo

up: env  ## Airflow UI, MLflow UI and model server together, on this machine only
	@$(BIN)/everlearn up

down:  ## stop what `make up` started
	@if [ -x $(BIN)/everlearn ]; then $(BIN)/everlearn down; fi

test: env  ## every test of both environments: fast ones first, then those that start real stacks
	@$(PYTEST) $(ARGS)

test-fast: env  ## the tests that start no stack
	@$(PYTEST) -m "not e2e and not slow" $(ARGS)

test-contract: env  ## the tests of what others rely on: schemas, SavedModel, REST
	@$(PYTEST) -m contract $(ARGS)

lint: env  ## ruff, types, layers, secrets: the same hooks as before a commit
	@$(BIN)/pre-commit run --all-files

lock: env  ## resolve requirements/*.in again; versions stay unless ARGS="--upgrade-package NAME"
	@tools/lock.sh $(ARGS)

bench-day: env  ## next-day recall@20 of the champion beside popularity and habit
	@$(BIN)/python -m benchmarks.next_day $(ARGS)

bench-time: env  ## one day: plain TFX, `everlearn run` and Airflow side by side, itemised
	@$(BIN)/python -m benchmarks.day $(ARGS)

clean: down  ## remove state and caches of this folder; the environments stay
	@rm -rf $(STATE) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build
	@find . -name __pycache__ -not -path './.venv*' -not -path './.uv/*' -prune -exec rm -rf {} +
