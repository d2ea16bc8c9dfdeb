# Targets are the steps that CI runs. `make run` and `make test` need only python3 >= 3.11.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench lock clean pictures help
.DELETE_ON_ERROR:
.DEFAULT_GOAL := run

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@sh deploy/make-venv.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: $(VENV)/run.stamp  ## the demonstration: database, simulated intake, worker and screens
	@$(BIN)/ioc up --config examples/demo/ioc.toml --demo --tied

test: $(VENV)/dev.stamp  ## the whole test-suite, browser tests included
	@sh deploy/install-browser.sh
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/browser --ignore=tests/faults
	$(BIN)/python -m pytest tests/browser tests/faults

lint: $(VENV)/dev.stamp  ## style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/run.stamp  ## the pages that are made from the code
	$(BIN)/ioc config document > docs/settings.md

bench: $(VENV)/dev.stamp  ## ratios and medians of one run
	$(BIN)/python -m tests.bench

lock:  ## re-make both locks from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:  ## remove what was made here, the demonstration's data included
	rm -rf $(VENV) var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

help:  ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

pictures: $(VENV)/dev.stamp  ## the pictures of the README, of every page in light and dark
	IOC_PICTURES=docs/pictures $(BIN)/python -m pytest tests/browser/test_pages.py -k page_is_clean
