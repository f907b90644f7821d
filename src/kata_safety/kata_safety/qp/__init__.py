# SPDX-License-Identifier: Apache-2.0
"""What a velocity may be: limits, obstacles and efforts as rows of one quadratic program, solved each tick."""
