# `make` creates .venv with everything that development needs; `make help` lists the rest.
PYTHON ?= python3
# Extra arguments for the installation of torch alone, e.g. --index-url of the CPU or CUDA index that
# PyTorch's own "Start locally" page prints. Empty: whatever the index in use offers.
TORCH_ARGS ?=
EXTRAS ?= dev,tracking
CONFIG ?= experiments/demo.yaml

BIN := .venv/bin
RUN = runs/$(basename $(notdir $(CONFIG)))

.DEFAULT_GOAL := install
.PHONY: install demo test faults lint types contract check gpu results help clean

install: .venv/installed  ## create .venv and install hrm-ray into it

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = ".".join(map(str, sys.version_info[:3])); \
	  sys.exit(None if sys.version_info >= (3, 11) else "hrm-ray needs Python 3.11 or newer, and $(PYTHON) is " + v \
	  + ": name another, such as `make PYTHON=python3.11`")'
	$(PYTHON) -m venv .venv
	@$(BIN)/python .ci/torch_build.py $(TORCH_ARGS)
	$(BIN)/pip install --quiet --constraint constraints.txt $(TORCH_ARGS) torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: install  ## the main job on synthetic pull requests, in under 5 minutes
	$(BIN)/hrm-ray collect $(CONFIG)
	$(BIN)/hrm-ray prepare $(CONFIG)
	$(BIN)/hrm-ray train $(CONFIG)
	$(BIN)/hrm-ray evaluate $(RUN)
	$(BIN)/hrm-ray generate $(RUN)
	$(BIN)/hrm-ray report $(RUN)

test: install  ## the tests, faults among them
	$(BIN)/pytest -n 2 --dist loadscope

faults: install  ## of the tests, those that kill, tear, damage or poison
	$(BIN)/pytest -m fault

lint: install  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install  ## mypy --strict
	$(BIN)/mypy

contract: install  ## later folders import earlier ones, never back
	$(BIN)/lint-imports

check: lint types contract test  ## what CI runs

gpu: install  ## checks and measurements on a CUDA device
	benchmarks/gpu.sh

results: install  ## docs/results, from the JSON in it
	$(BIN)/python benchmarks/results.py render docs/results

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

clean:  ## remove .venv and caches; data/ and runs/ stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
