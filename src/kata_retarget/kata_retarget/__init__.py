# SPDX-License-Identifier: Apache-2.0
"""From human motion to robot motion; `Retargeter` is where to begin."""

from kata_retarget.body import BodyRetargeter
from kata_retarget.clip_retargeting import compile_all, retarget_clip
from kata_retarget.config import RetargetConfig
from kata_retarget.hands import HandsConfig, HandsRetargeter
from kata_retarget.retargeter import Retargeter
from kata_retarget.types import Retargeted

__all__ = [
    "BodyRetargeter",
    "HandsConfig",
    "HandsRetargeter",
    "RetargetConfig",
    "Retargeted",
    "Retargeter",
    "compile_all",
    "retarget_clip",
]
