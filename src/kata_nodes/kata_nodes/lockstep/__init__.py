# SPDX-License-Identifier: Apache-2.0
"""Lockstep: simulated time advances with the graph, so that a run is a function of its seeds alone.

All nodes of a launch live in the simulator's process. After each tick of 4 ms the nodes get turns in the order of the
data, until none has anything left to do; then time advances. See docs/design.md, "Time".
"""
