# SPDX-License-Identifier: Apache-2.0
"""Nodes that a person's motion comes from."""
