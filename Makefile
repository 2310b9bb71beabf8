# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
SOURCES := portal tests benchmarks datasets clients docs

.PHONY: demo test nightly mutations check format bench editor setup lock clean

demo: .venv/runtime
	PORTAL_PORT=$(PORT) $(BIN)/portal demo

test: .venv/development
	$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

nightly: .venv/development
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest tests/properties/test_oracle_from_sql.py $(PYTEST_ARGS)

mutations: .venv/development
	$(BIN)/python tests/mutations/run.py --write

check: .venv/development
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/development
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: .venv/development
	$(BIN)/python -m benchmarks

# Only who changes the editor of the SQL page needs node: what is built is kept beside the pages.
editor:
	cd editor && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs ../portal/web/editor

setup: .venv/runtime

.venv/runtime: pyproject.toml requirements.lock scripts/setup
	scripts/setup $(PYTHON) requirements.lock
	touch $@

.venv/development: pyproject.toml requirements-dev.lock scripts/setup scripts/browser
	scripts/setup $(PYTHON) requirements-dev.lock
	scripts/browser
	touch .venv/runtime $@

lock:
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv home build dist
