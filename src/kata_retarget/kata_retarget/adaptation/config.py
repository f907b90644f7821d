# SPDX-License-Identifier: Apache-2.0
"""Settings of the adaptation to the robot's dynamics."""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.robot import RobotModel
from kata_safety import SafetyConfig

__all__ = ["AdaptConfig", "Bounds", "bounds_of"]


@dataclass(frozen=True)
class AdaptConfig:
    """What a motion may ask of the robot, and how far it may be changed; limits are the safety filter's."""

    effort_scale: float = param(SafetyConfig.effort_scale, unit="1", low=0.01, high=1.0, doc="Share of the effort limits.")
    velocity_scale: float = param(SafetyConfig.velocity_scale, unit="1", low=0.01, high=1.0, doc="Share of the velocity limits.")
    max_velocity: float = param(
        SafetyConfig.max_velocity, unit="rad/s", low=0.01, high=100.0, doc="Velocity limit of every joint, beside the URDF's."
    )
    max_acceleration: float = param(
        SafetyConfig.max_acceleration, unit="rad/s^2", low=0.1, high=1000.0, doc="Acceleration limit of every joint."
    )
    friction: float = param(0.7, unit="1", low=0.05, high=2.0, doc="Friction coefficient between soles and floor.")
    help_force: float = param(
        0.1, unit="1", low=0.001, high=1.0, doc="Force per weight that may be missing at the base before it counts as infeasible."
    )
    help_moment: float = param(
        0.03, unit="m", low=0.001, high=0.5, doc="Moment per weight that may be missing: how far the ZMP may be outside."
    )
    sole_height: float = param(0.01, unit="m", low=0.0, high=0.05, doc="Height of a sole over the floor up to which it carries.")
    min_speed: float = param(0.2, unit="1", low=0.01, high=1.0, doc="Slowest that the clip may run, per its own speed.")
    ease: float = param(0.15, unit="s", low=0.0, high=2.0, doc="Time over which the speed changes.")
    rounds: int = param(40, low=1, high=1000, doc="How often the result is checked and mended again.")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of each joint, shape (n,): effort [N·m], velocity [rad/s], acceleration [rad/s²]."""

    effort: FloatArray
    velocity: FloatArray
    acceleration: FloatArray


def bounds_of(robot: RobotModel, config: AdaptConfig) -> Bounds:
    """Return a robot's limits under a configuration."""
    return Bounds(
        config.effort_scale * robot.max_effort,
        np.minimum(config.velocity_scale * robot.max_velocity, config.max_velocity),
        np.full(len(robot.layout), config.max_acceleration),
    )
