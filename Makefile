# The front door: `make` alone explains itself. Needs Python 3.11+ and make; all else goes into $(VENV).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV ?= .venv
BIN := $(VENV)/bin
# Whoever is through early takes from those with slow tests before them.
PYTEST := $(BIN)/pytest -n auto --dist worksteal $(ARGS)

# The scripts of a virtual environment hold its path: in a folder that was moved or copied it is made anew.
MADE := $(VENV)/.made-$(shell printf %s '$(abspath $(VENV))' | cksum | cut -d' ' -f1)
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
LOCK_VENV := $(VENV)/lock

.PHONY: help
help: ## Show this text.
	@echo 'Targets (each sets up $(VENV) by itself when needed):'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Create the virtual environment from requirements-dev.lock; instant when nothing changed.
	@:

$(MADE):
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	    python=; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'syncd needs Python 3.11 or newer, and none was found. Install one, or name it: make install PYTHON=/path/to/python3' >&2; \
	    exit 1; \
	fi; \
	echo "Creating $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear "$(VENV)" || { \
	    echo "$$python cannot create virtual environments; on Debian and Ubuntu install python3-venv." >&2; \
	    exit 1; \
	}
	@touch $@

# Quiet but alive: one dot for each package, everything else in the log.
$(LOCKED): $(MADE) requirements-dev.lock
	@echo 'Installing the packages of requirements-dev.lock, a minute or so'
	@rm -f $@
	@{ $(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
	       --require-hashes -r requirements-dev.lock 2>$(VENV)/install.log && touch $@; } \
	    | awk '/^Collecting/ { printf "."; fflush(); dots = 1 } END { if (dots) print "" }'
	@[ -e $@ ] || { tail -n 20 $(VENV)/install.log; echo 'Not installed; the whole log is $(VENV)/install.log.'; exit 1; } >&2

$(INSTALLED): $(LOCKED) pyproject.toml
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: demo
demo: install ## Play the story on two desks; KEEP=1 leaves all running, DESK=rt takes a real RT.
	@$(BIN)/syncd demo $(if $(KEEP),--keep) $(if $(DESK),--desk $(DESK)) $(ARGS)

.PHONY: test
test: install ## Run every test; ARGS="-k hand_off" goes to pytest.
	@$(PYTEST)

.PHONY: test-fast
test-fast: install ## Run the unit and property tests only.
	@$(PYTEST) tests/unit tests/property

.PHONY: check
check: lint types layers docs test ## Run all that a change must pass: lint, types, layers, docs, tests.

.PHONY: lint
lint: install ## Check style and formatting, change nothing.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: fmt
fmt: install ## Mend style and formatting where that is safe.
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

.PHONY: types
types: install ## Check the types.
	@$(BIN)/mypy

.PHONY: layers
layers: install ## Check who may import whom.
	@$(BIN)/lint-imports

.PHONY: docs
docs: install ## Check that the docs tell the truth about the code, and that their links lead somewhere.
	@$(BIN)/pytest -q tests/meta

.PHONY: site
site: install ## Build the docs as a site into site/; a link or an anchor that leads nowhere fails it.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean
	@echo 'Built: site/index.html'

.PHONY: cov
cov: install ## Run every test and report the branches that none took.
	@$(PYTEST) --cov --cov-report=term-missing:skip-covered --cov-fail-under=90
	@$(BIN)/coverage report --skip-covered --include='syncd/core/*' --fail-under=100

.PHONY: mutants
mutants: install ## Change the core in thousands of small ways, and list those that no test notices (an hour or so).
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet 'mutmut>=3.8'
	@$(BIN)/mutmut run --max-children 2 $(ARGS)
	@$(BIN)/python -m tests.mutants

.PHONY: bench
bench: install ## Measure speed and cost, and write docs/benchmarks.md.
	@$(BIN)/python -m tests.bench $(ARGS)

SEEDS ?= 100

.PHONY: simulate
simulate: install ## Play SEEDS=100 seeded histories on virtual time, check every promise after each.
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

.PHONY: dist
dist: install ## Build the wheel and the source archive into dist/.
	@rm -rf dist
	@$(BIN)/python -m hatchling build -d dist

COMPILE = UV_CUSTOM_COMPILE_COMMAND='make lock' $(LOCK_VENV)/bin/uv pip compile pyproject.toml --universal \
    --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet

.PHONY: lock
lock: install ## Write both lock files from pyproject.toml; ARGS=--upgrade takes newer releases.
	@$(BIN)/python -m venv --clear $(LOCK_VENV)
	@$(LOCK_VENV)/bin/python -m pip install --disable-pip-version-check --quiet uv
	@$(COMPILE) --extra dev $(ARGS) -o requirements-dev.lock
	@# What runs is what was tested.
	@$(COMPILE) --constraint requirements-dev.lock -o requirements.lock
	@rm -rf $(LOCK_VENV)

.PHONY: clean
clean: ## Remove the virtual environment, caches and build leftovers.
	@rm -rf $(VENV) build dist site htmlcov mutants .coverage .coverage.* \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
