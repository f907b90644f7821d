# SPDX-License-Identifier: Apache-2.0
"""Balance of a robot whose base is free, on planted feet."""

from kata_safety.balance.balance_controller import BalanceController
from kata_safety.balance.com_controller import ComController
from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.constraints import BalanceConstraints
from kata_safety.balance.floating_body import Dynamics, FloatingBody
from kata_safety.balance.forces import Asked, Given, SoleForces
from kata_safety.balance.postures import Postures, load_postures, standing_height
from kata_safety.balance.standing_controller import Posture, StandingController
from kata_safety.balance.support_polygon import SupportedPosture, SupportPolygon

__all__ = [
    "Asked",
    "BalanceConfig",
    "BalanceConstraints",
    "BalanceController",
    "ComController",
    "Dynamics",
    "FloatingBody",
    "Given",
    "Posture",
    "Postures",
    "SoleForces",
    "StandingController",
    "SupportPolygon",
    "SupportedPosture",
    "load_postures",
    "standing_height",
]
