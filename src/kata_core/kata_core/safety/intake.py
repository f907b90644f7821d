# SPDX-License-Identifier: Apache-2.0
"""Is a target fit to be followed? Every fault has a name."""

from dataclasses import dataclass

from kata_core.joints import JointCommand, JointState
from kata_core.safety.config import SafetyConfig
from kata_core.safety.straying import finite
from kata_core.verdict import Reason

__all__ = ["Received", "state_fault", "target_fault"]


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


def state_fault(state: JointState | None, joints: int, now: int, config: SafetyConfig) -> str:
    """Return why a joint state must not be trusted, or an empty string; arguments as in `target_fault`."""
    if state is None or len(state.position) != joints:
        return Reason.NO_STATE
    if not finite(state.position, state.velocity):
        return Reason.NO_STATE
    age = (now - state.stamp) * 1e-9
    return "" if -config.max_future <= age <= config.max_state_age else Reason.STALE_STATE
