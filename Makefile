# Everything is done in .venv, which the first target makes from requirements.lock.
# Relative paths only, so that the folder may lie anywhere, spaces included.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin/python
STEP := $(BIN) tools/step.py
UPGRADE ?= --upgrade

# In some containers HOME cannot be written; what programs keep there goes into _build then.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
  $(shell mkdir -p _build/home)
  export HOME := $(CURDIR)/_build/home
endif

# Where a network has certificates of its own, the system knows them; uv has to be told to ask it.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt),)
  export UV_SYSTEM_CERTS ?= 1
endif

.DEFAULT_GOAL := help
.PHONY: help setup book serve pdf test lint unit packages browser notebooks live-times
.PHONY: claims mutation-score address test-newest test-lowest sphinx release bench mutants lock
.PHONY: clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: ## Install the locked packages into .venv (the other targets do it when needed)
	@test -n "$(PYTHON)" || { echo "Sorry: no Python from 3.11 to 3.14 was found; install one, or make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" tools/environment.py

book: setup ## Build the book; prints where it is (LIVE=0: its pages do not run their code)
	@$(BIN) tools/book.py

serve: book ## Build the book and show it at http://127.0.0.1:8000
	@$(BIN) tools/serve.py

pdf: setup ## Print the whole book to _build/sparse-autoencoders.pdf (needs Chromium; some minutes)
	@$(STEP) "Printing the book" $(BIN) tools/pdf.py

test: lint unit book packages browser ## Run every check: lint, types, tests, packages with every notebook, the pages in a browser

lint: setup ## Check format, style and types
	@$(STEP) "Checking format" $(BIN) -m ruff format --check -q .
	@$(STEP) "Checking style" $(BIN) -m ruff check -q .
	@$(STEP) "Checking types" $(BIN) -m mypy --no-error-summary

unit: setup ## Run the tests and docstring examples with coverage
	@$(STEP) "Testing saelib and the book" $(BIN) -m pytest -q -n 2 --dist loadgroup \
		--ignore=tests/browser --ignore=tests/packages \
		--cov=saelib --cov-report=term:skip-covered --cov-fail-under=95

packages: book ## Install what readers get in clean environments, and run every notebook there
	@$(STEP) "Installing the packages elsewhere and running every notebook" \
		$(BIN) -m pytest -q tests/packages

browser: book ## Visit every built page in a browser
	@$(STEP) "Visiting every page" $(BIN) -m pytest -q -rfE -n 3 --dist loadgroup \
		tests/browser

live-times: book ## Measure the code in the pages for "Run times and versions" (some minutes)
	@$(STEP) "Running every chapter in a browser" env SAELIB_LIVE_TIMES=1 $(BIN) -m pytest -q \
		tests/browser/test_live.py

notebooks: setup ## Execute the notebooks and store their outputs: all, or ONLY=book/05-backpropagation.ipynb
	@$(STEP) "Executing the notebooks" $(BIN) tools/notebooks.py $(ONLY)
	@$(STEP) "Comparing with an older processor" $(BIN) tools/compare.py $(ONLY)

claims: setup ## Run the experiments behind the claims: all (three hours), or ONLY=06-training
	@$(STEP) "Measuring what the book claims" $(BIN) tools/claims.py $(ONLY)

mutation-score: setup ## Make slips in right answers and count what the checkers say (ten minutes; ARGS="--slips 0 cost")
	@$(STEP) "Making slips in right answers" $(BIN) tools/mutation_score.py $(ARGS)

address: setup ## Give the notebooks their first cell, which knows the public address in _config.yml
	@$(BIN) tools/address.py

test-newest: setup ## Run the unit tests and notebooks with the newest packages, whatever the lock says
	@$(STEP) "Testing with the newest packages" $(BIN) tools/versions.py newest $(ARGS)

test-lowest: setup ## Run them with the oldest packages that pyproject.toml allows
	@$(STEP) "Testing with the oldest packages" $(BIN) tools/versions.py lowest $(ARGS)

sphinx: book ## Build the pages with the newest plain Sphinx and MyST-NB, into _build/sphinx
	@$(STEP) "Building with plain Sphinx" $(BIN) tools/plain_sphinx.py

release: test ## Build both archives into dist, test and check them; see CONTRIBUTING.md
	@$(STEP) "Checking the archives" $(BIN) tools/release.py

bench: setup ## Measure the speed beside PyTorch and JAX (half an hour; ARGS=--quick for some minutes)
	@test -d .bench || "$(PYTHON)" -m venv .bench
	@$(STEP) "Installing the peers" .bench/bin/python -m pip install -q --disable-pip-version-check \
		-e ".[images,plot]" -r benchmarks/requirements.txt
	@$(STEP) "Measuring" .bench/bin/python benchmarks/run.py $(ARGS)

mutants: setup ## Break the core of the library in small ways and show what no test notices (hours; ARGS="--share 0.1")
	@$(STEP) "Breaking the library" $(BIN) tools/mutants.py $(ARGS)

lock: setup ## Make requirements.lock anew from pyproject.toml; UPGRADE= keeps the versions there are
	@$(STEP) "Resolving" $(BIN) -m uv pip compile -q $(UPGRADE) --universal --python-version 3.11 \
		--generate-hashes --group pyproject.toml:book --group pyproject.toml:test \
		--group pyproject.toml:bootstrap --extra dask --extra book --no-emit-index-url pyproject.toml \
		-o requirements.lock

clean: ## Remove what was built, .venv included
	rm -rf .venv .bench .versions _build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
