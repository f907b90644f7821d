# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes and planned motions through the safety filter again."""
