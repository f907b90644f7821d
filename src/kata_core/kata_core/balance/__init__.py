# SPDX-License-Identifier: Apache-2.0
"""Balance of a robot whose base is free, on planted feet."""

from kata_core.balance.config import BalanceConfig
from kata_core.balance.controller import Posture, StandingController
from kata_core.balance.floating_body import Dynamics, FloatingBody
from kata_core.balance.footing import Footing
from kata_core.balance.forces import Asked, Given, SoleForces
from kata_core.balance.guard import PlantedGuard
from kata_core.balance.planted import Planted, PlantedSoles
from kata_core.balance.postures import Postures, load_postures, standing_height
from kata_core.balance.stance import Stance

__all__ = [
    "Asked",
    "BalanceConfig",
    "Dynamics",
    "FloatingBody",
    "Footing",
    "Given",
    "Planted",
    "PlantedGuard",
    "PlantedSoles",
    "Posture",
    "Postures",
    "SoleForces",
    "Stance",
    "StandingController",
    "load_postures",
    "standing_height",
]
