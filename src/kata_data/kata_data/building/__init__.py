# SPDX-License-Identifier: Apache-2.0
"""Bags → dataset: streams aligned on one clock, observed as a robot would."""
