# SPDX-License-Identifier: Apache-2.0
"""The safety filter's account of one tick."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

from kata_model.joints import JointCommand

__all__ = ["FOLLOWED", "JointFlag", "Reason", "Status", "Verdict"]


class Status(IntEnum):
    """What became of the target; values as in kata_msgs/Verdict."""

    STANDBY = 0
    FOLLOWING = 1
    LIMITED = 2
    HOLDING = 3
    STOPPED = 4
    STOPPING = 5


FOLLOWED = (Status.FOLLOWING, Status.LIMITED)
"""Where the robot went after a target."""


class JointFlag(IntFlag):
    """Which limit acted on a joint, and whether its measurement is the trouble; values as in kata_msgs/Verdict."""

    POSITION = 1
    VELOCITY = 2
    ACCELERATION = 4
    EFFORT = 8
    COLLISION = 16
    FEEDBACK = 32


class Reason:
    """Names of reasons, as they stand in messages, bags and reports."""

    NO_STATE = "no_state"
    STALE_STATE = "stale_state"
    NO_TARGET = "no_target"
    STALE_TARGET = "stale_target"
    FUTURE_TARGET = "future_target"
    OUT_OF_ORDER = "out_of_order"
    WRONG_JOINTS = "wrong_joints"
    NOT_FINITE = "not_finite"
    MISMATCH = "mismatch"
    WARMING_IN = "warming_in"
    POSITION_LIMIT = "position_limit"
    VELOCITY_LIMIT = "velocity_limit"
    ACCELERATION_LIMIT = "acceleration_limit"
    EFFORT_LIMIT = "effort_limit"
    SELF_COLLISION = "self_collision"
    WORKSPACE = "workspace"
    OUTSIDE = "outside"
    DUPLICATED = "duplicated"
    LOST_STATE = "lost_state"
    LOST_OPERATOR = "lost_operator"
    LOST_CONSOLE = "lost_console"
    LOST_IMU = "lost_imu"
    FOREIGN_COMMAND = "foreign_command"
    TWO_SOURCES = "two_sources"
    LOOP_OVERRUN = "loop_overrun"
    BASE_TILT = "base_tilt"
    FALLING = "falling"
    LOST_BASE = "lost_base"
    NO_BASE = "no_base"
    UNSURE_POLICY = "unsure_policy"
    LATE_POLICY = "late_policy"
    EMERGENCY_STOP = "emergency_stop"
    CLOCK_JUMP = "clock_jump"
    TRACKING_ERROR = "tracking_error"
    ROBOT_LAGS = "robot_lags"
    BALANCE = "balance"
    INTERNAL_FAULT = "internal_fault"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One tick of the safety filter.

    Attributes:
        status: What became of the target.
        reasons: Names from `Reason`; empty when FOLLOWING.
        joint_flags: `JointFlag` bits by joint, shape (n,), uint8.
        command: What is to be sent; None only before the first joint state.
        source_stamp: Source stamp of the target considered [ns], 0 if none.
        target_stamp: When that target was received [ns], 0 if none.
        stamp: Time of the tick [ns].
        state_stamp: When the joint state considered was measured [ns], 0 if none.
    """

    status: Status
    reasons: tuple[str, ...]
    joint_flags: NDArray[np.uint8]
    command: JointCommand | None
    source_stamp: int
    target_stamp: int
    stamp: int
    state_stamp: int = 0
