# Flowlet's commands. `make help` lists them. All work from a fresh clone: git, make and Python 3.11 or newer with venv.

VENV ?= .venv
ARGS ?=
# How many test processes; 2 suits most machines, `make test JOBS=8` a bigger one.
JOBS ?= 2
# The first Python that is new enough and can make virtualenvs.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)

BIN := $(VENV)/bin
LOCAL := $(BIN)/python -m flowlet.local
EXEC := $(LOCAL) exec
# Stopping needs no packages: any Python will do when the virtualenv is gone.
HALT = $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m flowlet.local

.DEFAULT_GOAL := help
.PHONY: help run stop clean status demo test storm browser check bench openapi shell fmt packages-run packages-dev

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
		while IFS='|' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done
	@echo; echo "  PORT=8000 first port to try   ARGS='-k wallet' passed to pytest   VENV=.venv   DATABASE_URL, REDIS_URL: your own servers"

run: packages-run ## start everything: database, cache, web, worker, scheduler; Ctrl-C stops it
	@exec $(LOCAL) run

stop: ## stop what runs for this checkout
	@$(HALT) stop

clean: ## stop it and remove its data (var/); the virtualenv stays
	@$(HALT) clean
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

status: ## say what runs
	@$(HALT) status

demo: packages-run ## throw the demo data away and make it again
	@$(LOCAL) demo

test: packages-dev ## run the tests on a real PostgreSQL and Redis
	@$(EXEC) --alone test -- pytest -n $(JOBS) --dist worksteal -m "not browser" $(ARGS)

storm: packages-dev ## 100,000 random operations on the ledger by six threads, connections cut; STORM_OPERATIONS=… for more
	@STORM_OPERATIONS=$${STORM_OPERATIONS:-100000} $(EXEC) --alone test -- pytest -n0 -q ledger/tests/test_storm.py $(ARGS)

browser: packages-dev ## run the browser tests; needs Chromium
	@FLOWLET_BROWSER=1 $(EXEC) --alone test -- pytest -m browser $(ARGS)

check: packages-dev ## format, lint, types, layers, migrations, API description, deployment settings
	@$(EXEC) -- python -m flowlet.local.check

bench: packages-dev ## run the benchmarks, side by side with peers
	@$(EXEC) --alone bench -- python -m bench $(ARGS)

openapi: packages-dev ## write docs/openapi.yaml from the code
	@$(EXEC) -- python manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

shell: packages-dev ## a Python shell inside the running house
	@$(EXEC) -- python manage.py shell

fmt: packages-dev ## format the code and mend what lint can mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

packages-run packages-dev: packages-%:
	@test -n "$(PYTHON)" || { echo "Flowlet needs Python 3.11 or newer with venv. On Debian and Ubuntu: apt install python3 python3-venv;"; \
		echo "or name one: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3"; exit 1; } >&2
	@"$(PYTHON)" -m flowlet.local.install --venv "$(VENV)" requirements-$(if $(filter run,$*),local,dev).txt
