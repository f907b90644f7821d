# SPDX-License-Identifier: Apache-2.0
"""The whole-body retargeter's nonlinear least squares, one frame at a time."""
