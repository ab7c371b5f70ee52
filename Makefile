# `make demo` and `make test` set up what they need in .venv and demo/; nothing else is touched.
PYTHON ?= python3
ENV := .venv
BIN := $(ENV)/bin
WORKERS ?= 2

.PHONY: demo test test-versions lint bench constraints clean

demo: $(ENV)/cookiecutter
	$(BIN)/python tools/demo.py

test: $(ENV)/test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# the newest and the lowest versions, on each Python of this machine; ARGS="-s lowest" for one
test-versions: $(ENV)/versions
	$(BIN)/python -m nox $(ARGS)

lint: $(ENV)/test
	$(BIN)/ruff check --config pyproject.toml .
	$(BIN)/ruff format --config pyproject.toml --check .
	$(BIN)/mypy -p checkpoint -p notebook_checkpoints

bench: $(ENV)/test
	$(BIN)/python benchmarks/generation.py
	$(BIN)/python benchmarks/checkpoints.py
	$(BIN)/python benchmarks/growth.py docs/growth.png
	$(BIN)/python benchmarks/running.py
	$(BIN)/python -W ignore benchmarks/durability.py

# newer versions for constraints.txt, here and in projects; ARGS=--keep adds what is missing
constraints: $(ENV)/cookiecutter
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	$(BIN)/python tools/constraints.py $(ARGS)

clean:
	rm -rf $(ENV) .nox demo .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(ENV)/cookiecutter: constraints.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is not Python 3.11 or newer. Name one that is: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt cookiecutter
	@touch $@

$(ENV)/versions: $(ENV)/cookiecutter pyproject.toml
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group versions
	@touch $@

$(ENV)/test: $(ENV)/cookiecutter pyproject.toml
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group once
	@touch $@
