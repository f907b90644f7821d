# SPDX-License-Identifier: Apache-2.0
"""From human motion to robot motion."""

from kata_retarget.body import BodyRetargeter
from kata_retarget.clip import compile_all, retarget_clip
from kata_retarget.config import RetargetConfig
from kata_retarget.hands import HandsConfig, HandsRetargeter
from kata_retarget.types import Retargeted

__all__ = ["BodyRetargeter", "HandsConfig", "HandsRetargeter", "RetargetConfig", "Retargeted", "compile_all", "retarget_clip"]
