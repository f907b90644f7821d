# SPDX-License-Identifier: Apache-2.0
"""Recorded human motion: files of the usual kinds → clips in the convention of `kata_core.frames`."""

from kata_core.mocap.clip import MotionClip
from kata_core.mocap.load import SUFFIXES, ClipOptions, load_clip

__all__ = ["SUFFIXES", "ClipOptions", "MotionClip", "load_clip"]
