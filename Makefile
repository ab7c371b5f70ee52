# `make demo` and `make test` set up what they need in .venv and demo/; nothing else is touched.
PYTHON ?= python3
ENV := .venv
BIN := $(ENV)/bin
WORKERS ?= 2

.PHONY: demo test lint bench clean

demo: $(ENV)/cookiecutter
	$(BIN)/python tools/demo.py

test: $(ENV)/test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: $(ENV)/test
	$(BIN)/ruff check --config pyproject.toml .
	$(BIN)/ruff format --config pyproject.toml --check .
	$(BIN)/mypy -p checkpoint -p notebook_checkpoints

bench: $(ENV)/test
	$(BIN)/python benchmarks/generation.py
	$(BIN)/python benchmarks/checkpoints.py
	$(BIN)/python benchmarks/running.py
	$(BIN)/python -W ignore benchmarks/durability.py

clean:
	rm -rf $(ENV) demo .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(ENV)/cookiecutter: constraints.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt cookiecutter
	@touch $@

$(ENV)/test: $(ENV)/cookiecutter pyproject.toml
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test
	@touch $@
