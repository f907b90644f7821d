# SPDX-License-Identifier: Apache-2.0
"""Safety inputs: what a tick is told, and whether it is fit to be used; every fault has a name."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import frozen
from kata_model.base_motion import BaseMotion
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag, Reason
from kata_safety.config import SafetyConfig
from kata_safety.stops.stability import BaseState
from kata_safety.tracking_error import believable, finite

__all__ = ["NOTHING", "FilterInputs", "Received", "SafetyInputs", "StateCheck", "target_fault"]

_BEYOND = 1.0
"""How far beyond its limits a joint may be, having been pushed or being calibrated badly; more is no measurement [rad]."""

_FASTER = 10.0
"""How many times its fastest a joint may move."""


@dataclass(frozen=True, slots=True)
class Received:
    """The newest target, as it came in.

    Attributes:
        command: The target, or None if the message could not be converted.
        received: When it came in [ns].
        fault: Why it could not be converted, a name from `Reason`.
    """

    command: JointCommand | None
    received: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SafetyInputs:
    """What else is known at a tick.

    Attributes:
        alarms: Causes that last, names from `Reason` that the table of stops knows.
        base: How a floating base stands; None where the base is held.
        motion: Where a floating base is and how it moves; None where that is not known.
    """

    alarms: tuple[str, ...] = ()
    base: BaseState | None = None
    motion: BaseMotion | None = None


NOTHING = SafetyInputs()


class FilterInputs(NamedTuple):
    """All that one tick is decided on, beside the filter's state.

    Attributes:
        joints: The newest joint state, None if there never was one.
        target: The newest target, None if there never was one.
        now: Time of the tick [ns].
        safety: What else is known.
        asked: Why a stop was asked for since the last tick, a cause that is over at once; empty if none was.
    """

    joints: JointState | None
    target: Received | None
    now: int
    safety: SafetyInputs = NOTHING
    asked: str = ""


def target_fault(target: Received | None, joints: int, last_stamp: int, now: int, config: SafetyConfig) -> str:
    """Return why a target must not be followed, or an empty string.

    Args:
        target: The newest target, None if there never was one.
        joints: Number of joints of the robot.
        last_stamp: Source stamp of the last target followed [ns].
        now: Time of the tick [ns].
        config: Deadlines.
    """
    if target is None:
        return Reason.NO_TARGET
    command = target.command
    if command is None:
        return target.fault or Reason.WRONG_JOINTS
    if len(command.position) != joints:
        return Reason.WRONG_JOINTS
    if not finite(command.position, command.velocity):
        return Reason.NOT_FINITE
    age = (now - command.stamp) * 1e-9
    if not age >= -config.max_future:
        return Reason.FUTURE_TARGET
    if not age <= config.max_target_age:
        return Reason.STALE_TARGET
    return Reason.OUT_OF_ORDER if command.stamp < last_stamp else ""


class StateCheck:
    """Tells whether a joint state is to be believed, and which joints are the reason if not."""

    def __init__(self, robot: RobotModel, config: SafetyConfig) -> None:
        """Prepare for a robot."""
        self._config, self._joints = config, len(robot.layout)
        ranges = {"low": robot.lower - _BEYOND, "high": robot.upper + _BEYOND, "fastest": _FASTER * robot.max_velocity}
        self._low, self._high, self._fastest = (frozen(name, values, (None,)) for name, values in ranges.items())

    def fault(self, state: JointState | None, now: int) -> str:
        """Return why a state must not be trusted at a time [ns], or an empty string."""
        if state is None or len(state.position) != self._joints:
            return Reason.NO_STATE
        if not believable(state.position, state.velocity, self._low, self._high, self._fastest):
            return Reason.NO_STATE
        ends = (state.stamp,) if state.stamps is None else (int(state.stamps.min()), int(state.stamps.max()))
        return "" if all(self._timely(stamp, now) for stamp in ends) else Reason.STALE_STATE

    def culprits(self, state: JointState | None, now: int) -> NDArray[np.uint8]:
        """Return `JointFlag.FEEDBACK` where a joint is why a state is not trusted, shape (n,); of no state at all, nowhere."""
        if state is None or len(state.position) != self._joints:
            return np.zeros(self._joints, dtype=np.uint8)
        sane = (self._low <= state.position) & (state.position <= self._high) & (np.abs(state.velocity) <= self._fastest)
        stamps = np.full(self._joints, state.stamp) if state.stamps is None else state.stamps
        timely = np.array([self._timely(int(stamp), now) for stamp in stamps])
        return np.where(sane & timely, 0, JointFlag.FEEDBACK).astype(np.uint8)

    def _timely(self, stamp: int, now: int) -> bool:
        return -self._config.max_future <= (now - stamp) * 1e-9 <= self._config.max_state_age
