# Everything that is done to this project, each from a fresh clone: what is missing is installed into .venv first.
#   make run [PORT=9000] [PYTHON=python3.12]

PYTHON ?=
PORT ?=
VENV := .venv
PY := $(VENV)/bin/python
FOR_RUN := $(VENV)/.installed-for-run
FOR_TEST := $(VENV)/.installed-for-test
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# Checks that load the settings but need no server.
CHECKED := DJANGO_SETTINGS_MODULE=tests.settings $(PY) -W "ignore:Got an error checking a consistent migration history"

.PHONY: help run test check check-style check-types check-made fix bench bench-full bench-scale requirements suitable
.DELETE_ON_ERROR:

help: ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1: \2/p' Makefile

run: $(FOR_RUN) ## start the service with demo data; Ctrl-C stops it
	@exec $(PY) manage.py up --demo $(if $(PORT),--port $(PORT))

test: $(FOR_TEST) ## run the whole suite against real servers, then the analytics again on TimescaleDB where there is one
	@$(PY) -m pytest -n 2 --dist loadfile --cov --cov-branch
	@$(PY) -m tests.timescale

check: check-style check-types check-made ## lint, types, imports, migrations, OpenAPI; changes nothing (-j2: on two cores)

check-style: $(FOR_TEST)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	PYTHONPATH=. $(VENV)/bin/lint-imports

check-types: $(FOR_TEST)
	$(PY) -m mypy observatory analytics ratelimit errors benchmarks manage.py
	MYPYPATH=clients/python/src $(PY) -m mypy clients/python

check-made: $(FOR_TEST)
	$(CHECKED) manage.py makemigrations --check --dry-run
	$(CHECKED) manage.py export_openapi --check openapi.yaml
	$(CHECKED) manage.py export_reference --check
	$(CHECKED) manage.py export_grafana --check

fix: $(FOR_TEST) ## apply the linter's safe fixes and the formatter
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench-full: $(FOR_TEST) ## measure every part beside its peers and under load, and write docs/reference/benchmark-full.md
	@exec $(PY) -m benchmarks --full --write docs/reference/benchmark-full.md

bench-scale: $(FOR_TEST) ## measure a million spans and ten, and as many as SPANS=50000000 says, which takes hours
	@exec $(PY) -m benchmarks --only storage --only reads --only traces --spans 1000000 --spans 10000000 \
		$(if $(SPANS),--spans $(SPANS)) --write docs/reference/benchmark-scale.md

bench: $(FOR_TEST) ## measure the service on this machine
	@exec $(PY) -m benchmarks

requirements: $(FOR_TEST) ## compile both requirement files from pyproject.toml
	$(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		-o requirements.txt --no-emit-index-url
	$(PY) -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		-o tests/requirements.txt --no-emit-index-url

# Both files are whole, so pip resolves nothing: left to it, an extra (coverage[toml]) escapes its pin.
# The tests' requirements include those of the service, so the second installation is never needed after them.
$(FOR_TEST): tests/requirements.txt | $(PY)
	@echo "Installing what tests and checks need into $(VENV)."
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@ $(FOR_RUN)

$(FOR_RUN): requirements.txt | $(PY)
	@echo "Installing what the service needs into $(VENV)."
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# Names may exist and not run (pyenv's shims), so each candidate is tried; PYTHON=… is the only one when it is given.
$(PY): | $(if $(PYTHON),suitable)
	@found=; bare=; \
	for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
		if $$candidate -c '$(SUITABLE)' 2>/dev/null; then \
			if $$candidate -c 'import ensurepip, venv' 2>/dev/null; then found=$$candidate; break; fi; \
			bare=$${bare:-$$candidate}; \
		fi; \
	done; \
	if [ -z "$$found" ] && [ -n "$$bare" ]; then \
		echo "$$bare cannot make a virtual environment: install its venv module (Debian and Ubuntu: apt install python3-venv) and try again." >&2; exit 1; \
	fi; \
	if [ -z "$$found" ]; then \
		echo "LLM Observatory runs on Python 3.11 to 3.13 and none was found: install one, or name it with PYTHON=/path/to/python3.12." >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$found --version)."; \
	$$found -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

suitable:
	@$(PYTHON) -c '$(SUITABLE)' 2>/dev/null || { \
		echo "LLM Observatory runs on Python 3.11 to 3.13 and $(PYTHON) is not one: name another with PYTHON=/path/to/python3.12." >&2; exit 1; }
