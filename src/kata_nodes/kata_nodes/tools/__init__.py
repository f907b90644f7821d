# SPDX-License-Identifier: Apache-2.0
"""Nodes and helpers of a session: episode runner, replay, clock echo, a terminal as an e-stop."""
