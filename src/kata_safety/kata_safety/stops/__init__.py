# SPDX-License-Identifier: Apache-2.0
"""What stops the robot, how hard, and when that may end."""
