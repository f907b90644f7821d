# SPDX-License-Identifier: Apache-2.0
"""Run recorded inputs through the filter again: the verdicts must come out bit for bit.

A verdict names the joint state and the target that it was decided on by their stamps, and the causes that it
was told of by its reasons. So a bag holds everything that the filter knew.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kata_model.joints import JointCommand, JointState
from kata_model.verdict import Reason, Status, Verdict
from kata_safety.filter import SafetyFilter
from kata_safety.inputs import Received, SafetyInputs

__all__ = ["replay", "same_verdict"]

_ALARMS = frozenset(
    {
        Reason.FOREIGN_COMMAND,
        Reason.LOOP_OVERRUN,
        Reason.LOST_CONSOLE,
        Reason.LOST_IMU,
        Reason.LOST_OPERATOR,
        Reason.TWO_SOURCES,
        Reason.UNSURE_POLICY,
        Reason.LATE_POLICY,
    }
)

_UNDECIDED = frozenset({Reason.INTERNAL_FAULT, Reason.LEAVING})
"""Verdicts that the filter did not decide: the safety node failed, or was ended."""


def replay(
    safety: SafetyFilter,
    recorded: Sequence[Verdict],
    states: Mapping[int, JointState],
    targets: Mapping[int, JointCommand],
) -> Iterator[Verdict]:
    """Decide again what was decided.

    Args:
        safety: A filter in the state that the recording began in.
        recorded: Verdicts in order.
        states: Joint states by stamp [ns].
        targets: Targets by source stamp [ns].

    Yields:
        One verdict for each recorded one. A stop by a service shows in the recording by its reason, a reset
        by the end of the stop. What was no decision of the filter comes out as it was recorded.
    """
    stopped = safety.state.stops.stop is not None
    for verdict in recorded:
        if _UNDECIDED & set(verdict.reasons):
            yield verdict
            continue
        emergency = Reason.EMERGENCY_STOP in verdict.reasons
        if emergency and not stopped:
            safety.stop(Reason.EMERGENCY_STOP)
        if stopped and verdict.status not in (Status.STOPPED, Status.STOPPING):
            safety.reset()
        stopped = verdict.status in (Status.STOPPED, Status.STOPPING)
        alarms = tuple(reason for reason in verdict.reasons if reason in _ALARMS)
        target = _target(verdict, targets)
        yield safety.step(states.get(verdict.state_stamp), target, verdict.stamp, SafetyInputs(alarms))


def _target(verdict: Verdict, targets: Mapping[int, JointCommand]) -> Received | None:
    if verdict.source_stamp in targets and verdict.source_stamp:
        return Received(targets[verdict.source_stamp], verdict.target_stamp)
    return Received(None, verdict.target_stamp, verdict.reasons[0] if verdict.reasons else "") if verdict.target_stamp else None


def same_verdict(first: Verdict, second: Verdict) -> bool:
    """Return whether two verdicts agree in status, reasons, flags and every bit of their commands."""
    if (first.status, first.reasons) != (second.status, second.reasons) or not np.array_equal(
        first.joint_flags, second.joint_flags
    ):
        return False
    a, b = first.command, second.command
    if a is None or b is None:
        return a is b
    fields = ("position", "velocity", "effort", "stiffness", "damping")
    return all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in fields)
