# SPDX-License-Identifier: Apache-2.0
"""Kinematics as plain arrays, compiled where numba is to be had; Pinocchio is what it is tested against."""
