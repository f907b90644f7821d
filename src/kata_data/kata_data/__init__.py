# SPDX-License-Identifier: Apache-2.0
"""From the recorder's bags to datasets: reading, writing, repairing, aligning, grading. No torch, no ROS."""
