# SPDX-License-Identifier: Apache-2.0
"""Recorded human motion: files of the usual kinds → clips in the convention of `kata_model.frames`."""

from kata_retarget.mocap.clip import MotionClip
from kata_retarget.mocap.load import SUFFIXES, ClipOptions, load_clip

__all__ = ["SUFFIXES", "ClipOptions", "MotionClip", "load_clip"]
