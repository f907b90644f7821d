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

IN := source scripts/env.sh &&
PYTEST := python -m pytest -rsR

.PHONY: help setup format lint type unit ros pytest test demo clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | column -t -s $$'\t'

setup:  ## Build everything that the other targets need; takes seconds when nothing changed
	@$(PYTHON) scripts/prepare.py --distro $(DISTRO)

format: setup  ## Rewrite the sources in the house's format
	@$(IN) ruff check -q --fix --exit-zero && ruff format -q

lint: setup  ## Check style, docstrings and format
	@$(IN) ruff check && ruff format --check

type: setup  ## Check types
	@$(IN) python -m mypy

unit: setup  ## Run the quick tests: no ROS, nothing slow
	@$(IN) $(PYTEST) -m "not ros and not slow"

ros: setup  ## Run the tests that start ROS nodes
	@$(IN) $(PYTEST) -m ros

pytest: setup  # no tests collected is pytest's exit code 5: a failure
	@$(IN) $(PYTEST)

test: lint type pytest  ## Check everything: style, types, unit tests, ROS tests; print each skip's reason

demo: setup  ## Teach the simulated G1 to reach, and write runs/demo/report.html; CLIP=file.bvh retargets a clip instead
	@$(IN) python scripts/demo.py $(if $(CLIP),--clip "$(CLIP)") $(DEMO_ARGS)

clean:  ## Remove what was built, but not runs/
	rm -rf build install log .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
