# SPDX-License-Identifier: Apache-2.0
"""Datasets in other projects' formats."""
