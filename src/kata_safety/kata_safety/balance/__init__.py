# SPDX-License-Identifier: Apache-2.0
"""Balance of a robot whose base is free, on planted feet."""

from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.constraints import BalanceConstraints
from kata_safety.balance.controller import Posture, StandingController
from kata_safety.balance.floating_body import Dynamics, FloatingBody
from kata_safety.balance.footing import Footing
from kata_safety.balance.forces import Asked, Given, SoleForces
from kata_safety.balance.planted import Planted, PlantedSoles
from kata_safety.balance.postures import Postures, load_postures, standing_height
from kata_safety.balance.stance import Stance

__all__ = [
    "Asked",
    "BalanceConfig",
    "BalanceConstraints",
    "Dynamics",
    "FloatingBody",
    "Footing",
    "Given",
    "Planted",
    "PlantedSoles",
    "Posture",
    "Postures",
    "SoleForces",
    "Stance",
    "StandingController",
    "load_postures",
    "standing_height",
]
