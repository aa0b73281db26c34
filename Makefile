# `make demo` runs the main job, `make test` passes the tests; both need only Python ≥ 3.11 with pip and venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test bench loops test-model wheel-test soak faults fuzz mutants dialects check docs format clean

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py

test: $(VENV)/.dev
	$(BIN)/python -X dev -m pytest

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py

# make loops MODEL=FILE.gguf, or UPSTREAM=URL MODEL=NAME; further options in LOOPS="--face client --only rag"
loops: $(VENV)/.dev
	@test -n "$(MODEL)" || { echo "say MODEL=FILE.gguf, or UPSTREAM=URL MODEL=NAME" >&2; exit 2; }
	$(BIN)/python benchmarks/run_loops.py $(if $(UPSTREAM),--upstream "$(UPSTREAM)" --upstream-model) "$(MODEL)" $(LOOPS)

test-model: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group upstream
	$(BIN)/python -X dev -m pytest -m model

soak: $(VENV)/.dev
	$(BIN)/python -m pytest -m soak -s --durations=0 tests/test_soak.py

faults: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m faults

fuzz: $(VENV)/.dev
	$(BIN)/python -m pytest -m fuzz --durations=0 tests/test_reply_fuzz.py tests/test_reply_cost.py

dialects: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_dialects.py

wheel-test: $(VENV)/.dev
	$(BIN)/python -m pytest -m wheel --durations=0 tests/test_wheel.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py

docs: $(VENV)/.docs
	$(BIN)/python -m mkdocs build --strict

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group demo
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group test --group check
	touch $@

$(VENV)/.bench: pyproject.toml | $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group bench
	touch $@

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --group docs
	touch $@
