# Everything a developer runs. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KUSTO := .tools/node_modules/@kusto/language-service-next
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup kusto demo test check bench fmt golden docs dist clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(BIN)/foxhunt: pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(KUSTO)/package.json: .tools/package.json .tools/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix .tools
	@touch $@

setup: $(BIN)/foxhunt  ## editable install with locked development tools
kusto: $(KUSTO)/package.json  ## Microsoft's KQL parser, which judges every emitted query in the tests

demo: setup  ## make the example, hunt it, write demo/report.html, check a careless exclusion
	@$(BIN)/python examples/make_example.py demo/logs
	@$(BIN)/foxhunt hunt demo/logs --indicators examples/indicators.json --family "Unknown RAT"; \
		status=$$?; test $$status -eq 1
	@$(BIN)/foxhunt hunt demo/logs --indicators examples/indicators.json \
		--exclusions examples/exclusions.yaml --format html --out demo/report.html; status=$$?; test $$status -eq 1
	@$(BIN)/foxhunt exclusions check examples/careless.yaml --indicators examples/indicators.json; \
		status=$$?; test $$status -eq 2

test: setup kusto  ## pytest; pass ARGS="-k name"
	$(BIN)/pytest $(ARGS)

check: setup kusto  ## what CI runs besides the demo
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(ARGS)

bench: setup  ## foxhunt and its peers, as ratios; pass ARGS="--scale full"
	$(BIN)/pip install --quiet --disable-pip-version-check -r bench/requirements.txt || true
	$(BIN)/python bench/run.py $(ARGS)

fmt: setup  ## format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: setup kusto  ## rewrite expected files, then read the diff
	REWRITE_GOLDEN=1 $(BIN)/pytest $(ARGS) || true
	git diff --stat -- tests/golden docs

docs: setup  ## regenerate docs/cli.md
	REWRITE_GOLDEN=1 $(BIN)/pytest -n0 tests/docs

dist: setup  ## build the wheel, install it in a bare environment, run it
	rm -rf build dist .dist-venv
	$(PYTHON) -m venv .dist-venv
	.dist-venv/bin/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	.dist-venv/bin/pip install --quiet --disable-pip-version-check dist/*.whl
	.dist-venv/bin/foxhunt --help >/dev/null
	.dist-venv/bin/python examples/make_example.py .dist-venv/logs
	.dist-venv/bin/foxhunt hunt .dist-venv/logs --indicators examples/indicators.json >/dev/null; test $$? -eq 1

clean:  ## remove what the targets made
	rm -rf $(VENV) .dist-venv .tools/node_modules demo build dist
