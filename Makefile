# The two commands are `make demo` and `make test`; both set everything up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Set-up is done again only when one of these has changed.
INPUTS := pyproject.toml .ci/constraints.txt .ci/setup.py labextension/package.json
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.ready-test
# Beside it: the oldest JupyterLab that is supported, for one of the journeys.
OLDEST := .venv-oldest
OLDEST_READY := $(OLDEST)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format conformance versions bench bench-peers bench-kale openapi pictures docs lab clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create the virtual environment, install, build the panel
	@$(BIN)/python labextension/build.py

$(READY): $(INPUTS)
	@$(PYTHON) .ci/setup.py $(VENV)
	@touch $(READY)

$(TEST_READY): $(READY)
	@$(PYTHON) .ci/setup.py $(VENV) --test
	@touch $(TEST_READY)

$(OLDEST_READY): $(TEST_READY)
	@$(PYTHON) .ci/setup.py $(VENV) --oldest $(OLDEST)

demo: setup ## Run the main job on real data, from the notebook to a served model
	@$(BIN)/python example_notebooks/demo.py

test: setup $(TEST_READY) $(OLDEST_READY) ## Check the code and run every test
	@$(BIN)/python labextension/build.py --packages
	@$(BIN)/python .ci/check.py

lint: $(TEST_READY) ## Check style, floors and types only
	@$(BIN)/python .ci/check.py --lint

format: $(TEST_READY) ## Rewrite the code in the house's style
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

conformance: $(TEST_READY) ## Run every hazard in every mode; write the page of results
	@$(BIN)/python -W ignore -m tests.conformance

versions: $(TEST_READY) ## Test auto-logging with other versions of Python and the libraries
	@$(BIN)/python -m tests.autolog.versions

bench-peers: $(TEST_READY) ## Install the peers, in the folder that BENCH_PEERS names or the cache folder
	@$(BIN)/python benchmarks/peers.py

bench-kale: bench-peers ## Run the conformance notebooks by Kale beside ours; write the page of results
	@$(BIN)/python -W ignore benchmarks/kale_notebooks.py --write

bench: $(TEST_READY) ## Measure speed beside the peers that are installed
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/store.py
	@$(BIN)/python benchmarks/objects.py
	@$(BIN)/python benchmarks/postgres.py
	@$(BIN)/python benchmarks/dataflow.py
	@$(BIN)/python benchmarks/kernels.py
	@$(BIN)/python benchmarks/pipelines.py
	@$(BIN)/python benchmarks/sweeps.py --notebook
	@$(BIN)/python benchmarks/autolog.py
	@if command -v valgrind >/dev/null; then $(BIN)/python benchmarks/instructions.py; fi
	@$(BIN)/python -W ignore benchmarks/torchsteps.py
	@$(BIN)/python benchmarks/sampler.py
	@$(BIN)/python benchmarks/panel.py
	@$(BIN)/python benchmarks/panel_pairs.py
	@$(BIN)/python benchmarks/panel_server.py

openapi: $(READY) ## Write the OpenAPI document of the server's routes
	@$(BIN)/python .ci/openapi.py

pictures: $(TEST_READY) ## Take the pictures of the documentation anew
	@MLOPS_NB_PICTURES=1 $(BIN)/python -m pytest -q tests/browser/test_pictures.py -p no:randomly

docs: $(TEST_READY) ## Run every code block of the documentation
	@$(BIN)/python -m pytest -q tests/docs

lab: setup ## Open JupyterLab on the example notebooks
	@$(BIN)/jupyter lab example_notebooks

clean: ## Remove what the commands above made
	rm -rf $(VENV) $(OLDEST) .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis dist demo-output \
	  mlops_nb/labextension labextension/node_modules labextension/lib
