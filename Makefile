# Two commands on a machine that has Python 3.11 or newer, pip and make: `make run` and `make test`.

PYTHON ?= python3
# The environments are made without pip in them: Debian's Python has no ensurepip, and the pip outside can fill them.
INSTALL = $(PYTHON) -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --require-hashes

.PHONY: run test lint chaos bench bench-peers docs fuzz fuzz-door fuzz-rules fuzz-answers mutants audit sbom requirements help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

bench: .venv-test/ready ## what it costs, beside what a user would pick instead: one table (ARGS; some two hours)
	.venv-test/bin/python -m bench.table $(ARGS)

bench-peers: .venv-test/ready ## fetch those others into var/peers, from Debian, PyPI and npm
	.venv-test/bin/python -m bench.peers.install

docs: .venv/ready .venv-docs/ready ## the documents as a site in site/, after their generated parts are written anew
	.venv/bin/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

fuzz: .venv-fuzz/ready ## a coverage-guided search for what breaks a sender's reader (SENDER, SECONDS)
	.venv-fuzz/bin/python -m tests.fuzz.senders $(or $(SENDER),github) --seconds $(or $(SECONDS),60)

fuzz-door: .venv-test/ready ## requests without number against a running door (ARGS="--requests 1000000")
	.venv-test/bin/python -m tests.fuzz.door $(ARGS)

fuzz-rules: .venv-test/ready ## rules files changed at random: loaded, or complained of at a place (ARGS="--count 1000")
	.venv-test/bin/python -m tests.fuzz.rules_files $(ARGS)

fuzz-answers: .venv-test/ready ## a portal's answers changed at random, to the real courier (ARGS="--count 1000")
	.venv-test/bin/python -m tests.fuzz.portal_answers $(ARGS)

mutants: .venv-test/ready ## what the tests notice: the code changed on purpose, a little at a time (ARGS; some hours)
	.venv-test/bin/python -m tests.mutation.run $(ARGS)

.venv/ready: requirements.txt
	$(PYTHON) -m venv --clear --without-pip $(@D)
	$(INSTALL) -r requirements.txt
	@touch $@

.venv-test/ready: requirements.txt requirements-test.txt
	$(PYTHON) -m venv --clear --without-pip $(@D)
	$(INSTALL) -r requirements.txt -r requirements-test.txt
	@touch $@

.venv-docs/ready: requirements-docs.txt
	$(PYTHON) -m venv --clear --without-pip $(@D)
	$(INSTALL) -r $<
	@touch $@

.venv-fuzz/ready: requirements.txt tests/fuzz/requirements.txt
	$(PYTHON) -m venv --clear --without-pip $(@D)
	$(INSTALL) -r requirements.txt -r tests/fuzz/requirements.txt
	@touch $@

audit: .venv-audit/ready ## known vulnerabilities of what is pinned; fails if nobody can be asked (needs the network)
	.venv-audit/bin/python -m pip_audit --strict --disable-pip --require-hashes --requirement requirements.txt

sbom: .venv-audit/ready ## what the relay is made of, in CycloneDX: dist/sbom.cdx.json (needs the network once)
	@mkdir -p dist
	.venv-audit/bin/python -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml -o dist/sbom.cdx.json

# Tools to ask with, and no part of the relay: they are pinned by their major versions alone.
AUDIT = 'pip-audit>=2.9,<3' 'cyclonedx-bom>=7,<8'
.venv-audit/ready:
	$(PYTHON) -m venv --clear --without-pip $(@D)
	$(PYTHON) -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check $(AUDIT)
	@touch $@

COMPILE = uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make requirements"
requirements: ## pin anew what pyproject.toml asks for (needs uv)
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --group test -c requirements.txt -o requirements-test.txt
	$(COMPILE) docs/requirements.in -o requirements-docs.txt
