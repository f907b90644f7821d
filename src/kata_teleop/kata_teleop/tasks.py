# SPDX-License-Identifier: Apache-2.0
"""The tasks that Kata brings along, by name: what a person would be told to do."""

from collections.abc import Mapping

__all__ = ["TASK_TEXTS"]

TASK_TEXTS: Mapping[str, str] = {
    "reach": "reach the ball with the right hand",
    "lift": "lift the box with both hands",
    "push": "push the puck to the goal with the right hand",
}
"""Stored with each episode, where nothing else is said."""
