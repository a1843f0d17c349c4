# Everything is done in .venv, which the first target makes from requirements.lock.
# Relative paths only, so that the folder may lie anywhere, spaces included.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin/python
STEP := $(BIN) tools/step.py

.DEFAULT_GOAL := help
.PHONY: help setup book serve pdf test lint unit browser live-times notebooks address bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## Install the locked packages into .venv (the other targets do it when needed)
	@test -n "$(PYTHON)" || { echo "Sorry: no Python from 3.11 to 3.14 was found; install one, or make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" tools/environment.py

book: setup ## Build the book; prints where it is (LIVE=0: without code that runs in the pages)
	@$(BIN) tools/book.py

serve: book ## Build the book and show it at http://127.0.0.1:8000
	@$(BIN) tools/serve.py

pdf: setup ## Print the whole book to _build/sparse-autoencoders.pdf (needs Chromium; some minutes)
	@$(STEP) "Printing the book" $(BIN) tools/pdf.py

test: lint unit book browser ## Run every check: lint, types, tests, notebooks, the pages in a browser

lint: setup ## Check format, style and types
	@$(STEP) "Checking format" $(BIN) -m ruff format --check -q .
	@$(STEP) "Checking style" $(BIN) -m ruff check -q .
	@$(STEP) "Checking types" $(BIN) -m mypy --no-error-summary

unit: setup ## Run the tests and docstring examples with coverage, and every notebook
	@$(STEP) "Testing saelib and the book" $(BIN) -m pytest -q --ignore=tests/browser \
		--cov=saelib --cov-report=term:skip-covered --cov-fail-under=95
	@$(STEP) "Executing every notebook and comparing its outputs" $(BIN) -m pytest -q \
		-c tools/nbval.ini --rootdir=. --nbval --nbval-cell-timeout=300 \
		--nbval-sanitize-with tools/nbval-sanitize.cfg book

browser: book ## Visit every built page in a browser
	@$(STEP) "Visiting every page" $(BIN) -m pytest -q tests/browser

live-times: book ## Measure the code in the pages for "Run times and versions" (some minutes)
	@$(STEP) "Running every chapter in a browser" env SAELIB_LIVE_TIMES=1 $(BIN) -m pytest -q \
		tests/browser/test_live.py

notebooks: setup ## Execute the notebooks and store their outputs: all, or ONLY=book/05-backpropagation.ipynb
	@$(STEP) "Executing the notebooks" $(BIN) tools/notebooks.py $(ONLY)

address: setup ## Bring the notebooks in line with the public address in _config.yml
	@$(BIN) tools/address.py

bench: setup ## Measure the speed beside PyTorch and JAX (half an hour; ARGS=--quick for some minutes)
	@test -d .bench || "$(PYTHON)" -m venv .bench
	@$(STEP) "Installing the peers" .bench/bin/python -m pip install -q --disable-pip-version-check \
		-e . -r benchmarks/requirements.txt
	@$(STEP) "Measuring" .bench/bin/python benchmarks/run.py $(ARGS)

lock: setup ## Make requirements.lock anew from pyproject.toml
	@$(STEP) "Resolving" $(BIN) -m uv pip compile -q --upgrade --universal --python-version 3.11 \
		--generate-hashes --group pyproject.toml:book --group pyproject.toml:test \
		--group pyproject.toml:bootstrap --extra dask --no-emit-index-url pyproject.toml \
		-o requirements.lock

clean: ## Remove what was built, .venv included
	rm -rf .venv .bench _build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
