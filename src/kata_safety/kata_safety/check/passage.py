# SPDX-License-Identifier: Apache-2.0
"""A motion on its way through the safety filter: what was wanted, what would be sent, and why."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_model.verdict import FOLLOWED, Verdict
from kata_safety import Received, SafetyFilter
from kata_safety.check.motion import Motion

__all__ = ["Passage", "pass_motion", "pass_recorded", "wanted"]

_SWEEP = 0.1
"""A command within the range of the targets of this time is late, not changed [s]."""


@dataclass(frozen=True, slots=True)
class Passage:
    """T ticks of the filter.

    Attributes:
        verdicts: One for each tick.
        target: Wanted positions at each tick, shape (T, n), [rad]; NaN where none was followed.
        period: Time between ticks [s].
    """

    verdicts: Sequence[Verdict]
    target: FloatArray
    period: float

    @property
    def command(self) -> FloatArray:
        """Return the positions that would be sent, shape (T, n), [rad]; NaN before the first."""
        nothing = np.full(self.target.shape[1], np.nan)
        return np.array([nothing if v.command is None else v.command.position for v in self.verdicts])

    @property
    def seconds(self) -> FloatArray:
        """Return the time of each tick since the first, shape (T,), [s]."""
        return np.array([(v.stamp - self.verdicts[0].stamp) * 1e-9 for v in self.verdicts])

    @property
    def statuses(self) -> Counter[str]:
        """Return the ticks by status."""
        return Counter(v.status.name.lower() for v in self.verdicts)

    @property
    def reasons(self) -> Counter[str]:
        """Return the ticks by reason."""
        return Counter(reason for v in self.verdicts for reason in v.reasons)

    def change(self) -> FloatArray:
        """Return how far each command is outside of what the targets of the last moments swept, shape (T, n), [rad].

        Zero where no target was followed; so mere delay, as by the filter's smoothing, is no change.
        """
        window = max(1, round(_SWEEP / self.period))
        padded = np.vstack([np.full((window - 1, self.target.shape[1]), np.nan), self.target])
        swept = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)
        low, high = (np.where(np.isnan(swept), fill, swept) for fill in (np.inf, -np.inf))
        beyond = np.maximum(low.min(axis=-1) - self.command, self.command - high.max(axis=-1))
        known = ~np.isnan(self.target) & ~np.isnan(self.command)
        return np.where(known, np.maximum(beyond, 0.0), 0.0)


def pass_motion(safety: SafetyFilter, robot: RobotModel, motion: Motion, rate: float, tick: Callable[[], None]) -> Passage:
    """Send a motion through the filter to a robot that does at once what it is told.

    Args:
        safety: A new filter.
        robot: The robot; it starts where the motion does.
        motion: What is wanted.
        rate: Of the filter's ticks [Hz].
        tick: Called after each tick.
    """
    smooth = motion.resample(rate)
    velocity, rest = smooth.velocity(), np.zeros(len(robot.layout))
    verdicts: list[Verdict] = []
    position = smooth.position[0]
    for stamp, wanted, speed in zip(smooth.stamp.tolist(), smooth.position, velocity, strict=True):
        now = stamp + 1_000_000_000  # stamps of 0 stand for none
        command = JointCommand(now, wanted, speed, rest, robot.stiffness, robot.damping)
        verdicts.append(safety.step(JointState(now, position, rest, rest), Received(command, now), now))
        sent = verdicts[-1].command
        position = position if sent is None else sent.position
        tick()
    followed = np.array([v.status in FOLLOWED for v in verdicts])
    return Passage(verdicts, np.where(followed[:, None], smooth.position, np.nan), 1.0 / rate)


def pass_recorded(
    safety: SafetyFilter, states: Sequence[JointState], targets: Sequence[Received], rate: float, tick: Callable[[], None]
) -> Passage:
    """Send recorded targets through the filter, beside the joint states that were measured.

    Args:
        safety: A new filter.
        states: In the order of their stamps, at least one.
        targets: In the order in which they were received.
        rate: Of the filter's ticks [Hz].
        tick: Called after each tick.
    """
    period = round(1e9 / rate)
    ticks = np.arange(states[0].stamp, states[-1].stamp + 1, period)
    state_at = np.searchsorted([s.stamp for s in states], ticks, side="right") - 1
    target_at = np.searchsorted([t.received for t in targets], ticks, side="right") - 1
    verdicts, rows = [], []
    for now, i, j in zip(ticks.tolist(), state_at, target_at, strict=True):
        target = targets[j] if j >= 0 else None
        verdicts.append(safety.step(states[i], target, now))
        rows.append(wanted(verdicts[-1], target.command if target else None))
        tick()
    return Passage(verdicts, np.array(rows), 1.0 / rate)


def wanted(verdict: Verdict, command: JointCommand | None) -> FloatArray:
    """Return the position that a verdict followed, shape (n,), [rad]; NaN if none."""
    nothing = np.full(len(verdict.joint_flags), np.nan)
    return nothing if command is None or verdict.status not in FOLLOWED else command.position
