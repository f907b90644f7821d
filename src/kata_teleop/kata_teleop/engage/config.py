# SPDX-License-Identifier: Apache-2.0
"""How a person engages: the phases, the causes that end it, the numbers."""

from dataclasses import dataclass
from enum import IntEnum

from kata_model.config.params import param

__all__ = ["Cause", "EngageConfig", "Phase"]


class Phase(IntEnum):
    """Whether a source may move the robot; values as in kata_msgs/EngageState."""

    DISENGAGED = 0
    ARMING = 1
    ENGAGED = 2
    LOST = 3


class Cause:
    """Names of what keeps a source from being engaged, as they stand in messages and bags."""

    # Faults: the input cannot be trusted. They lose an engaged source.
    TRACKING = "tracking"
    JUMP = "jump"
    NOT_FINITE = "not_finite"
    SILENT = "silent"
    LATE = "late"
    HIDDEN = "hidden"
    SOCKET = "socket"
    # Refusals: nothing is wrong with the input, but it may not move the robot now.
    STOPPED = "stopped"
    NO_STATE = "no_state"
    NO_SEAT = "no_seat"
    POLICY = "policy"
    MISMATCH = "mismatch"
    TURNED = "turned"


@dataclass(frozen=True)
class EngageConfig:
    """The contract's numbers; the deadlines of safety come on top (`SafetyConfig.max_target_age`, `operator_deadline`)."""

    mode: str = param(
        "hold", choices=("hold", "toggle"), doc="hold: engaged while the clutch is held; toggle: from press to press."
    )
    arm_time: float = param(0.15, unit="s", low=0.0, high=5.0, doc="How long the clutch is held before anything moves.")
    max_silence: float = param(0.15, unit="s", low=0.02, high=2.0, doc="Longest time without a sample; then the source is lost.")
    max_age: float = param(0.15, unit="s", low=0.01, high=2.0, doc="Oldest sample that is taken.")
    lost_time: float = param(
        0.5, unit="s", low=0.0, high=10.0, doc="How long a lost source is only held; then safety is to stop."
    )
    max_speed: float = param(1.5, unit="m/s", low=0.01, high=10.0, doc="Speed limit of what is led.")
    max_turn: float = param(5.0, unit="rad/s", low=0.01, high=50.0, doc="Turning speed limit of what is led.")
    max_jump: float = param(
        0.25, unit="m", low=0.01, high=2.0, doc="Way from sample to sample that no hand makes: tracking jumped."
    )
    max_jump_angle: float = param(1.5, unit="rad", low=0.05, high=3.1, doc="The same of its rotation.")
    max_mismatch: float = param(3.2, unit="rad", low=0.0, high=7.0, doc="Mismatch of pose beyond which arming goes no further.")
    scale: float = param(1.0, unit="1", low=0.05, high=3.0, doc="Robot's way per hand's way.")
    precision: float = param(0.3, unit="1", low=0.05, high=1.0, doc="What the scale is multiplied by in precision mode.")
    heading: bool = param(True, doc="Whether forward is where the person's head looks when engaging.")
