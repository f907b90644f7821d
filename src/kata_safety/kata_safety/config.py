# SPDX-License-Identifier: Apache-2.0
"""Parameters of the safety filter."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["SafetyConfig"]


@dataclass(frozen=True)
class SafetyConfig:
    """Limits and deadlines; the robot's URDF limits always hold beside them."""

    rate: float = param(250.0, unit="Hz", low=20.0, high=1000.0, doc="Rate at which commands are decided.")
    max_target_age: float = param(0.08, unit="s", low=0.005, high=1.0, doc="Oldest target that is followed, by its source stamp.")
    max_state_age: float = param(0.05, unit="s", low=0.005, high=1.0, doc="Oldest joint state that is trusted.")
    state_loss: float = param(
        0.2, unit="s", low=0.01, high=5.0, doc="Age of the newest joint state beyond which the robot stops."
    )
    max_tick_gap: float = param(
        0.2, unit="s", low=0.01, high=5.0, doc="Time between ticks beyond which the clock counts as having jumped."
    )
    max_future: float = param(0.01, unit="s", low=0.0, high=0.5, doc="How far a stamp may lie ahead of the clock.")
    position_margin: float = param(0.02, unit="rad", low=0.0, high=0.5, doc="Distance kept from the URDF's position limits.")
    velocity_scale: float = param(0.9, unit="1", low=0.01, high=1.0, doc="Share of the URDF's velocity limits that is used.")
    max_velocity: float = param(10.0, unit="rad/s", low=0.01, high=100.0, doc="Velocity limit of every joint, beside the URDF's.")
    max_acceleration: float = param(80.0, unit="rad/s^2", low=0.1, high=1000.0, doc="Acceleration limit of every joint.")
    max_braking_time: float = param(0.25, unit="s", low=0.01, high=2.0, doc="Time in which every joint can always come to rest.")
    effort_scale: float = param(
        0.9, unit="1", low=0.01, high=1.0, doc="Share of the URDF's effort limits that feed-forward may use."
    )
    collision_margin: float = param(0.02, unit="m", low=0.0, high=0.2, doc="Distance kept between the robot's own capsules.")
    workspace_margin: float = param(0.0, unit="m", low=0.0, high=0.2, doc="Distance kept from the workspace's borders.")
    approach_gain: float = param(6.0, unit="1/s", low=0.5, high=50.0, doc="Closing speed allowed per distance left.")
    recovery_speed: float = param(
        0.05, unit="m/s", low=0.0, high=0.5, doc="Speed at which parts that are too near are led apart."
    )
    smoothing: float = param(0.015, unit="s", low=0.0, high=0.5, doc="Time constant that joins the source's samples; 0 for none.")
    engage_refusal: float = param(1.6, unit="rad", low=0.0, high=7.0, doc="Mismatch at engage beyond which a target is refused.")
    engage_tolerance: float = param(0.1, unit="rad", low=0.0, high=7.0, doc="Mismatch at engage that needs no warming in.")
    warm_in_velocity: float = param(0.5, unit="rad/s", low=0.01, high=10.0, doc="Velocity limit right after a mismatched engage.")
    warm_in_time: float = param(
        2.0, unit="s", low=0.01, high=60.0, doc="Time over which that limit opens to the full one, after a large mismatch."
    )
    max_tracking_error: float = param(
        0.3,
        unit="rad",
        low=0.05,
        high=7.0,
        doc="Distance of command and measurement beyond which the robot stops: a joint is stuck, pushed or measured wrongly.",
    )
    lag_horizon: float = param(
        0.05, unit="s", low=0.0, high=0.5, doc="How far ahead the distance of command and robot is extrapolated to judge a lag."
    )
    lag_tolerance: float = param(0.06, unit="rad", low=0.0, high=7.0, doc="Such a lag from which on the command slows down.")
    lag_limit: float = param(0.12, unit="rad", low=0.0, high=7.0, doc="Such a lag from which on the command crawls.")
    crawl_velocity: float = param(0.3, unit="rad/s", low=0.01, high=10.0, doc="Velocity limit while the robot is that far away.")
    retreat_velocity: float = param(0.6, unit="rad/s", low=0.05, high=5.0, doc="Velocity of the move to the rest posture.")
    retreat_time: float = param(6.0, unit="s", low=0.1, high=60.0, doc="Longest time of that move; then the joints only damp.")
    max_tilt: float = param(0.6, unit="rad", low=0.05, high=1.6, doc="Tilt of a floating base beyond which the robot stops.")
    min_balance_margin: float = param(
        0.01, unit="m", low=-0.1, high=0.2, doc="Least distance of the capture point inside the support."
    )
    fall_margin: float = param(
        0.05, unit="m", low=0.0, high=1.0, doc="Distance of the capture point outside the support beyond which the robot falls."
    )
    compensate_motion: bool = param(True, doc="Whether the command carries the effort that its whole motion takes.")
    compensate_gravity: bool = param(
        True, doc="Whether the command carries at least the effort that holds the robot's own weight."
    )
