# Two commands on a machine that has Python 3.11 or newer, pip and make: `make run` and `make test`.

PYTHON ?= python3
# The environments are made without pip in them: Debian's Python has no ensurepip, and the pip outside can fill them.
INSTALL = $(PYTHON) -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --require-hashes

.PHONY: run test lint chaos bench requirements help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/ready ## try it: the relay, a stand-in portal and sample events, all on this machine
	.venv/bin/python -m relay demo

test: .venv-test/ready lint ## everything that must hold
	.venv-test/bin/python -m pytest $(ARGS)

lint: .venv-test/ready ## style, types and the shape of the house
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/mypy
	.venv-test/bin/lint-imports

chaos: .venv-test/ready ## half an hour of kills and failures (SECONDS, DATABASE to change it)
	.venv-test/bin/python -m tests.line.chaos --seconds $(or $(SECONDS),1800) $(if $(DATABASE),--database $(DATABASE))

bench: .venv-test/ready ## what it costs: rules, store, an idle worker, 10,000 deliveries (some twenty minutes)
	@for each in decide store idle delivery; do .venv-test/bin/python -m bench.$$each || exit 1; done

.venv/ready: requirements.txt
	$(PYTHON) -m venv --clear --without-pip $(@D)
	$(INSTALL) -r requirements.txt
	@touch $@

.venv-test/ready: requirements.txt requirements-test.txt
	$(PYTHON) -m venv --clear --without-pip $(@D)
	$(INSTALL) -r requirements.txt -r requirements-test.txt
	@touch $@

COMPILE = uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make requirements"
requirements: ## pin anew what pyproject.toml asks for (needs uv)
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --group test -c requirements.txt -o requirements-test.txt
