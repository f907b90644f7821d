# SPDX-License-Identifier: Apache-2.0
"""Nodes and helpers of a session: episode runner, replay, a terminal as an e-stop."""
