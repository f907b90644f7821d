# SPDX-License-Identifier: Apache-2.0
# `make setup test demo` is all that a newcomer needs; `make format lint type test` is what CI runs.
SHELL := /bin/bash
# Not -u: setup scripts of ROS read variables that are not set.
.SHELLFLAGS := -e -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
DISTRO ?= jazzy
CLIP ?=
DEMO_ARGS ?=
ARGS ?=

IN := source scripts/env.sh &&
PYTEST := python -m pytest -rs

# What tests of the pages need beside the setup: Chromium (about 300 MB) and the pages; without them these tests are skipped.
PAGES := @$(PYTHON) scripts/debian.py; $(IN) python scripts/build_web.py || true

.PHONY: help setup web format lint type unit ros pytest test live demo teleop clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | column -t -s $$'\t'

setup:  ## Build everything that the other targets need; takes seconds when nothing changed
	@$(PYTHON) scripts/prepare.py --distro $(DISTRO)

web: setup  ## Build the console's pages with npm; takes seconds when nothing changed
	@$(IN) python scripts/build_web.py

format: setup  ## Rewrite the sources in the house's format
	@$(IN) ruff check -q --fix --exit-zero && ruff format -q

lint: setup  ## Check style, docstrings and format
	@$(IN) ruff check && ruff format --check

type: setup  ## Check types
	@$(IN) python -m mypy

unit: setup  ## Run the quick tests: no ROS, nothing slow
	@$(IN) $(PYTEST) -m "not ros and not slow and not live"

ros: setup  ## Run the tests that start ROS nodes
	$(PAGES)
	@$(IN) $(PYTEST) -m "ros and not live"

pytest: setup
	$(PAGES)
	@$(IN) python scripts/run_tests.py

test: lint type pytest  ## Check everything: style, types, unit tests, ROS tests; print each skip's reason

live: setup  ## Measure the long figures in real time on a quiet machine, and attack the safety filter with the day's seed
	@$(IN) $(PYTEST) -m live
	@$(IN) KATA_FUZZ_SEED=$$(date +%Y%m%d) KATA_FUZZ_COMMANDS=100000 $(PYTEST) tests/kata_sim/test_safety_fuzz.py

demo: setup  ## Teach the simulated G1 to reach, and write runs/demo/report.html; CLIP=file.bvh retargets a clip instead
	@$(IN) python scripts/demo.py $(if $(CLIP),--clip "$(CLIP)") $(DEMO_ARGS)

teleop: web  ## Start the simulated G1 with the operator's console, and print the link that opens it; ARGS="source:=gamepad"
	@$(IN) kata launch teleop source:=vr recorder:=true $(ARGS)

clean:  ## Remove what was built, but not runs/
	rm -rf web/dist web/node_modules build install log .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
