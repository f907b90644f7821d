# SPDX-License-Identifier: Apache-2.0
"""Bags (rosbag2, MCAP): reader, writer, salvage."""
