# SPDX-License-Identifier: Apache-2.0
"""Kata's ROS 2 nodes: each reads parameters, converts, calls core once, converts back and publishes."""
