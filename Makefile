# The one door. `make` alone lists what is behind it; each target sets up what it needs in .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-vm check fuzz bench gen install clean

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# Programs of .venv (meson, ninja) before the machine's.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# Files and folders: a folder's time changes when a file in it goes.
SOURCES := $(shell find src init completions -name __pycache__ -prune -o -print) meson.build meson.options pyproject.toml README.md
# JOBS=2: so many test processes, for tests that do not count processes or cgroups of the whole machine. Each is given whole
# files, whose tests share runs of the peers and podman's store, in the order of TESTS: the peers come last, since each of
# their tests keeps three processors busy by itself.
JOBS ?= 1
TOGETHER := $(if $(filter-out 1,$(JOBS)),--numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder)
# Quick and rootless ones first.
TESTS := $(wildcard $(addprefix tests/,unit golden schema fuzz init contract integration security peers))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## run a container on this machine's own files, and draw the timeline of its hooks
	@$(BIN)/python tools/demo.py

test: install ## run all tests; T=tests/unit or T="-k word" for some. SLINGER_MUST_RUN=1: what cannot run fails
	@$(PYTEST) $(TOGETHER) $(or $(T),$(TESTS))

test-vm: install ## run the tests that want cgroup v2, systemd or AppArmor in an emulated machine; T as above
	@$(PYTEST) tests/vm $(if $(T),--second='$(T)')

check: install $(VENV)/.check ## ruff, mypy, pyright, clang-format, shellcheck, generated files, C warnings
	@tools/check.sh

fuzz: install $(VENV)/.fuzz ## fuzz each border for SECONDS=60, two at a time; T="config plan_reader" for some
	@$(BIN)/python -m tests.fuzz.run --seconds $(or $(SECONDS),60) $(T)

bench: install ## measure slinger against runc and crun
	@$(BIN)/python bench/run.py

gen: $(VENV)/.test ## write the generated files anew
	@set -e; for tool in tools/gen_*.py; do PYTHONDONTWRITEBYTECODE=1 $(BIN)/python $$tool; done

install: $(VENV)/.installed ## compile slinger and install it into .venv

clean: ## remove .venv and what was built
	rm -rf $(VENV) .build build .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.test: pyproject.toml tools/setup.sh
	@tools/setup.sh $(VENV) test

$(VENV)/.check: $(VENV)/.test
	@tools/setup.sh $(VENV) check

$(VENV)/.fuzz: $(VENV)/.test
	@tools/setup.sh $(VENV) fuzz

$(VENV)/.installed: $(VENV)/.test $(SOURCES)
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --force-reinstall .
	@touch $@
