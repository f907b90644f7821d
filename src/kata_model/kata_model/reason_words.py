# SPDX-License-Identifier: Apache-2.0
"""What a verdict's reasons mean to the person who operates the robot, and what to do about them."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from kata_model.verdict import Reason

__all__ = ["REASON_WORDS", "explain", "some"]

REASON_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Reason.NO_STATE: "no usable joint states come from the robot: is its driver running?",
        Reason.STALE_STATE: "the robot's joint states are too old: braked until they come again",
        Reason.NO_TARGET: "nobody has asked for a motion yet",
        Reason.STALE_TARGET: "the source has fallen silent, or its targets arrive too late",
        Reason.FUTURE_TARGET: "targets are stamped ahead of the clock: are the machines' clocks in step?",
        Reason.OUT_OF_ORDER: "an older target came after a newer one",
        Reason.WRONG_JOINTS: "targets name other joints than this robot's",
        Reason.NOT_FINITE: "targets hold numbers that are none (NaN or infinite)",
        Reason.MISMATCH: "the target is too far from the robot: bring both together, then engage again",
        Reason.WARMING_IN: "led slowly to the target, which was away from the robot",
        Reason.POSITION_LIMIT: "a joint is at the end of its range",
        Reason.VELOCITY_LIMIT: "a joint would move too fast",
        Reason.ACCELERATION_LIMIT: "a joint would start or stop too suddenly",
        Reason.EFFORT_LIMIT: "a motor would have to be stronger than it is",
        Reason.SELF_COLLISION: "parts of the robot would come too near to each other",
        Reason.WORKSPACE: "a hand would leave its workspace",
        Reason.OUTSIDE: "the robot is outside its limits and is led back in",
        Reason.DUPLICATED: "two targets carry the same stamp: the first one counts",
        Reason.LOST_STATE: "joint states are lost: stopped, since nothing is known of the robot",
        Reason.LOST_OPERATOR: "the operator's heartbeat has ended",
        Reason.LOST_CONSOLE: "the console's heartbeat has ended",
        Reason.LOST_IMU: "the IMU has fallen silent",
        Reason.FOREIGN_COMMAND: "something else commands the robot as well: end it, then reset",
        Reason.TWO_SOURCES: "two sources send targets in turns: end one of them",
        Reason.LOOP_OVERRUN: "the safety loop is late too often: the machine is overloaded",
        Reason.BASE_TILT: "the robot leans too far",
        "balance": "the robot would lose its balance by this motion",
        Reason.FALLING: "the robot is losing its balance",
        Reason.LOST_BASE: "nothing reliable is known of how the robot stands",
        Reason.NO_BASE: "nothing was heard yet of how the robot stands",
        Reason.UNSURE_POLICY: "the policy sees what it was not trained on",
        Reason.LATE_POLICY: "the policy answers too late: the machine is too slow for it",
        Reason.EMERGENCY_STOP: "the emergency stop was pressed: release it, then reset",
        Reason.CLOCK_JUMP: "the clock has jumped: begun anew from where the robot is",
        Reason.TRACKING_ERROR: "a joint is not where it was told to be: stuck, pushed, or measured wrongly",
        Reason.ROBOT_LAGS: "the robot cannot keep up: the command waits for it",
        Reason.INTERNAL_FAULT: "the safety node failed (its log says how): damped until it is started again",
        Reason.LEAVING: "the safety node was ended: damped",
    }
)
"""By name from `Reason`."""


def some(names: Sequence[str]) -> str:
    """Return the first of some names for a line of text, and whether there are more."""
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"


def explain(reasons: Iterable[str]) -> str:
    """Return reasons as words for a person, separated by semicolons; a name that is not known stands for itself."""
    return "; ".join(REASON_WORDS.get(name, name) for name in reasons)
