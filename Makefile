# SPDX-License-Identifier: Apache-2.0
PYTHON ?= python3
SHELL := /bin/bash

.PHONY: setup
setup:  ## Build everything that the other targets need; takes seconds when nothing changed
	@$(PYTHON) scripts/prepare.py
