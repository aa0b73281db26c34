# `make demo` runs the main job, `make test` passes the tests; both need only Python ≥ 3.11 with pip and venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALL = $(BIN)/python .ci/install.py
SIZE = 100 packages, 750 MB on disk, one to five minutes.
TEST_SIZE = 1.6 GB on disk, two to ten minutes.

.PHONY: demo test bench loops test-model wheel-test soak faults bombs fuzz mutants dialects company front-ends test-lowest check docs format clean

# make demo, or make demo UPSTREAM=URL MODEL=NAME for a model of any OpenAI-compatible server
demo: $(VENV)/.demo
	@$(BIN)/python examples/demo.py $(if $(UPSTREAM),--upstream "$(UPSTREAM)") $(if $(MODEL),--model "$(MODEL)")

test: $(VENV)/.dev
	PYTHONDEVMODE=1 $(BIN)/python -m pytest -n auto --dist loadfile

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py

# make loops MODEL=FILE.gguf, or UPSTREAM=URL MODEL=NAME; further options in LOOPS="--face client --only rag"
loops: $(VENV)/.dev
	@test -n "$(MODEL)" || { echo "say MODEL=FILE.gguf, or UPSTREAM=URL MODEL=NAME" >&2; exit 2; }
	$(BIN)/python benchmarks/run_loops.py $(if $(UPSTREAM),--upstream "$(UPSTREAM)" --upstream-model) "$(MODEL)" $(LOOPS)

test-model: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group upstream
	$(BIN)/python -X dev -m pytest -m model

test-lowest: .venv-lowest/.done
	.venv-lowest/bin/python -m pytest -q -W default::pydantic.warnings.UnsupportedFieldAttributeWarning \
	  tests/test_langchain*.py tests/test_llama_index*.py tests/test_frameworks.py tests/test_call_options.py tests/test_reasoning.py

.venv-lowest/.done: pyproject.toml
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-lowest/bin/python -m pip install --quiet --editable ".[langchain,llama-index]" --group lowest --group test
	touch $@

company: .venv-company/.done
	.venv-company/bin/python -m pytest -q -W default -m company tests/company  # the packages warn of each other

.venv-company/.done: pyproject.toml
	$(PYTHON) -m venv .venv-company
	.venv-company/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-company/bin/python -m pip install --quiet --editable ".[langchain,llama-index]" --group company
	touch $@

front-ends: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group front-ends
	$(BIN)/python -m pytest -q tests/test_front_ends.py

soak: $(VENV)/.dev
	$(BIN)/python -m pytest -m soak -s --durations=0 tests/test_soak.py

faults: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m faults

bombs: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m bombs

fuzz: $(VENV)/.dev
	$(BIN)/python -m pytest -m fuzz --durations=0 tests/test_reply_fuzz.py tests/test_reply_cost.py

mutants: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m mutants

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
	rm -rf $(VENV) .venv-company .venv-lowest build dist

# The stamp comes after the last step, so an interrupted step is done again. A sound environment is kept.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1 | tail -1). Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -c 'import sys, pip._internal.cli.main; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Making a virtual environment in $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@$(INSTALL) "Updating pip in $(VENV)" --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@$(INSTALL) "Installing what the demo needs into $(VENV): $(SIZE)" --editable ".[all]" --group demo
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	@$(INSTALL) "Installing what the tests need into $(VENV): $(TEST_SIZE)" --editable ".[all]" --group test --group check
	@touch $@

$(VENV)/.bench: pyproject.toml | $(VENV)/.dev
	@$(INSTALL) "Installing the peers that are measured" --group bench
	@touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/.made
	@$(INSTALL) "Installing what builds the site" --group docs
	@touch $@
