# SPDX-License-Identifier: Apache-2.0
"""Parameters of balance."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["BalanceConfig"]


@dataclass(frozen=True)
class BalanceConfig:
    """How a robot keeps its balance on planted feet."""

    friction: float = param(0.6, unit="1", low=0.05, high=2.0, doc="Friction of soles and floor that forces may count on.")
    sole_margin: float = param(0.01, unit="m", low=0.0, high=0.1, doc="Distance of each sole's force from the sole's outline.")
    com_gain: float = param(28.0, unit="1/s^2", low=0.0, high=1e3, doc="Acceleration of the centre of mass by its error.")
    com_damping: float = param(11.0, unit="1/s", low=0.0, high=1e3, doc="The same by its velocity's error.")
    turn_gain: float = param(60.0, unit="1/s^2", low=0.0, high=1e3, doc="Angular acceleration of the base by its tilt.")
    turn_damping: float = param(14.0, unit="1/s", low=0.0, high=1e3, doc="The same by its angular velocity.")
    turn_weight: float = param(
        0.01, unit="m^2/rad^2", low=1e-6, high=10.0, doc="Cost of angular against linear acceleration that is not reached."
    )
    support_margin: float = param(
        0.04, unit="m", low=-10.0, high=0.2, doc="Distance of the commanded motion's capture point from the support's edge."
    )
    max_lean: float = param(0.55, unit="rad", low=0.05, high=3.0, doc="Tilt of the base that is commanded at most.")
    leg_acceleration: float = param(
        4.0, unit="rad/s^2", low=0.1, high=100.0, doc="Acceleration limit of commanded legs: they move the whole robot."
    )
    leg_tracking_error: float = param(
        1.0, unit="rad", low=0.05, high=7.0, doc="As max_tracking_error, of legs: they give way to a push by efforts."
    )
    leg_cost: float = param(
        10.0, unit="1", low=1.0, high=1e6, doc="Cost of a change of a leg's wish against one of the heaviest other joint's."
    )
    sole_damping: float = param(20.0, unit="1/s", low=0.0, high=1e3, doc="Deceleration of a sole that moves by its velocity.")
    stance_gain: float = param(
        3.0, unit="1/s", low=0.1, high=50.0, doc="Speed by error with which commanded base and soles return to their places."
    )
    lift_velocity: float = param(0.3, unit="m/s", low=0.0, high=2.0, doc="Velocity limit of the base up and down.")
    turn_velocity: float = param(1.0, unit="rad/s", low=0.0, high=10.0, doc="Velocity limit of the base's rotation.")
