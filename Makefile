# `make site` and `make test` need a supported Python, make and the package registries.
# PYTHON=python3.12 chooses another Python; VENV=folder another place for its environment.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help environment site study pdf serve test test-copies test-weekly test-launch \
	test-versions audit check links notebooks timeline benchmark benchmark-browser rehearse \
	lock upgrade clean clean-store

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s%s\n", $$1, $$2 }' Makefile

environment: ## Create the environment from the lock
	@command -v $(PYTHON) >/dev/null || { echo "make: There is no $(PYTHON); install Python 3.11, 3.12 or 3.13, or name one with PYTHON=." >&2; exit 1; }
	@$(PYTHON) tools/environment.py $(VENV)

site: environment ## Build the site: train what is missing, execute what is stale
	@$(BIN)/jupyter-book build book -W --keep-going
	@echo "The site is ready: open _build/html/index.html, or run \`make serve\`."

study: environment ## Train the stored studies again; STUDY=name, SCHEDULER=tcp://host:8786
	@$(BIN)/python -m bnlab.studies $(STUDY) $(if $(SCHEDULER),--scheduler $(SCHEDULER))

pdf: site ## Print the whole course as one PDF, with the system's Chromium
	@$(BIN)/python tools/pdf.py

serve: ## Serve the built site on this machine
	@test -f _build/html/index.html || { echo "make: There is no site yet; run \`make site\` first." >&2; exit 1; }
	@echo "Serving http://127.0.0.1:$(PORT)/ (Ctrl-C ends it)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

# The tests of a module share what they build, so they stay together.
ON_ALL_CORES = --numprocesses auto --dist loadfile

test: environment check ## Run the linters, the type checker and the tests
	@$(BIN)/python -m pytest $(ON_ALL_CORES)

test-copies: environment ## Build copies of the course with other code and networks; takes minutes
	@$(BIN)/python -m pytest -m copies $(ON_ALL_CORES)

test-weekly: environment ## Train for minutes: in browsers with all seeds, on a cluster that loses a worker
	@$(BIN)/python -m pytest -m weekly

test-launch: environment ## Run the notebooks as Binder and Colab do; takes long
	@$(BIN)/python -m pytest -m launch

VERSIONS ?= newest
RESOLUTION_newest = highest
RESOLUTION_oldest = lowest-direct
UNLOCKED = $(VENV)-$(VERSIONS)
# As deep as the lessons, which read files of the checkout.
EXECUTED = .notebooks-$(VERSIONS)

test-versions: site ## Test the package and the built notebooks without the lock; VERSIONS=oldest
	@test -n "$(RESOLUTION_$(VERSIONS))" || { echo "make: VERSIONS is oldest or newest, not $(VERSIONS)." >&2; exit 1; }
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(UNLOCKED)
	@$(BIN)/uv pip install --quiet --python $(UNLOCKED)/bin/python --editable '.[book,study,test]' \
		--resolution $(RESOLUTION_$(VERSIONS))
	@$(UNLOCKED)/bin/python -m pytest -m 'not site and not launch and not weekly' $(ON_ALL_CORES)
	@rm -rf $(EXECUTED)
	@cp -R _build/html/notebooks $(EXECUTED)
	@$(UNLOCKED)/bin/jupyter-execute $(EXECUTED)/*.ipynb

rehearse: environment ## Run the publishing workflow as GitHub would, on the last commit; takes long
	@$(BIN)/python tools/rehearse.py $(OPTIONS)

links: environment ## Ask whether the pages that the course links to are there
	@$(BIN)/jupyter-book build book --builder linkcheck

notebooks: ## Commit the built notebooks to the branch that Colab and Binder open
	@PYTHONPATH=src $(PYTHON) -m evergreen.notebooks.branch

audit: site ## Measure every page with Lighthouse and the Nu HTML checker (needs Node and Java)
	@npm ci --prefix tools/audit --ignore-scripts --no-fund --no-audit --silent
	@node tools/audit/audit.mjs _build/html

check: environment ## Run the linters and the type checker
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/zizmor --offline --persona=auditor --quiet .github

timeline: environment ## Show what ran when in the last build from nothing, and what waited for what
	@$(BIN)/python -m evergreen.timeline

# A peer whose environment cannot be made is named in the results.
benchmark: environment ## Measure training and building beside their peers, on a quiet machine
	-@$(PYTHON) tools/environment.py $(VENV)-jax benchmarks/jax.txt
	-@$(PYTHON) tools/environment.py $(VENV)-torch benchmarks/torch.txt
	@$(BIN)/python -m benchmarks.run $(OPTIONS)

benchmark-browser: site ## Measure training in the browser beside Keras's fit, on a quiet machine
	@$(BIN)/python -m benchmarks.browser $(OPTIONS)

COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--quiet $(UPGRADE)
NPM_LOCK = npm $(if $(UPGRADE),update,install) --package-lock-only --omit-lockfile-registry-resolved \
	--ignore-scripts --no-fund --no-audit --silent

# Not `environment`: after a change of pyproject.toml that would install the old lock first.
$(BIN)/uv:
	@$(MAKE) --no-print-directory environment

# A version that a lock has already stays, unless it no longer fits.
lock: $(BIN)/uv ## Add to the locks what is newly required, drop what is not, keep all else
	@$(COMPILE) pyproject.toml --all-extras -o requirements.txt
	@$(COMPILE) benchmarks/jax.in --constraint requirements.txt -o benchmarks/jax.txt
	@$(COMPILE) benchmarks/torch.in --constraint requirements.txt -o benchmarks/torch.txt
	@$(COMPILE) pyproject.toml binder/requirements.in --constraint requirements.txt \
		-o binder/requirements.txt
	@command -v npm >/dev/null || { echo "make: There is no npm; install it to lock package.json too." >&2; exit 1; }
	@$(NPM_LOCK) --prefix .
	@$(NPM_LOCK) --prefix tools/audit

upgrade: ## Renew every version in every lock
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

clean-store: environment ## Show the stored results that no build has asked for lately; OPTIONS=--delete
	@$(BIN)/python -m evergreen.store $(OPTIONS)

clean: ## Remove what a build made, with all training results
	rm -rf _build .notebooks-*
