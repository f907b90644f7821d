# SPDX-License-Identifier: Apache-2.0
"""Target interpolator: engage a target, warm in, smooth between its samples; what velocity is desired before any limit.

It is the critically damped filter between planner and controller (as the smoothing plugins of MoveIt Servo).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.compiled import kernel
from kata_model.joints import JointCommand
from kata_model.verdict import JointFlag, Reason
from kata_safety.config import SafetyConfig
from kata_safety.limits import JointLimits, stoppable
from kata_safety.qp.motion import Commanded
from kata_safety.state import Following, Ramp

__all__ = ["TargetInterpolator", "Wanted"]


class Wanted(NamedTuple):
    """What a target wants of a tick.

    Attributes:
        velocity: Shape (n,), [rad/s].
        cap: Velocity limit while warming in [rad/s].
        flags: Joints whose target is beyond their position limits, shape (n,), uint8.
        reasons: Names from `Reason`.
        stamp: Source stamp of the target that is followed [ns].
    """

    velocity: FloatArray
    cap: float
    flags: NDArray[np.uint8]
    reasons: tuple[str, ...]
    stamp: int


_POSITION = int(JointFlag.POSITION)

_LONGEST = 0.1
"""Time between samples beyond which a source's motion between them is not guessed [s]."""

_PATIENCE = 1.25
"""Length of a ramp by the time between samples: the next one may come late, and the motion must not falter."""


class TargetInterpolator:
    """Turns targets into desired velocities; what it remembers is a `Following`."""

    def __init__(self, limits: JointLimits, config: SafetyConfig) -> None:
        """Prepare; compiles its kernels on the first run on a machine."""
        self._limits, self._config = limits, config
        self._ends = np.zeros((4, len(limits.lower)))
        still = np.zeros_like(limits.lower)
        self.approach(still, still, still, still)  # loads its kernels before the first tick
        _within(frozen("still", still, (None,)), limits.bounds, np.empty_like(still), np.empty(len(still), dtype=np.uint8))

    def engage(self, memory: Following, command: JointCommand, position: FloatArray, now: int) -> Following | None:
        """Return the memory of a target that is followed from a position, shape (n,), [rad]; None if it is too far away.

        Warming in takes its full time from half of the refused mismatch on, and less in proportion to a smaller one.
        """
        if memory.engaged_at is not None:
            return memory
        mismatch, refusal = float(np.abs(command.position - position).max()), self._config.engage_refusal
        if not mismatch <= refusal:
            return None
        warm_in = self._config.warm_in_time * (min(1.0, 2.0 * mismatch / refusal) if refusal > 0.0 else 1.0)
        return memory._replace(engaged_at=now, warming=mismatch > self._config.engage_tolerance, warm_in=warm_in)

    def follow(self, memory: Following, command: JointCommand, at: Commanded, now: int) -> tuple[Following, Wanted]:
        """Return what to wish for; a second target with the stamp of the first is ignored and named."""
        reasons: tuple[str, ...] = ()
        kept = memory.kept
        if kept is not None and kept is not command and kept.stamp == command.stamp and not _equal(kept, command):
            command, reasons = kept, (Reason.DUPLICATED,)
        goal, flags = np.empty_like(command.position), np.empty(len(command.position), dtype=np.uint8)
        _within(command.position, self._limits.bounds, goal, flags)
        ramp = memory.ramp
        if kept is not None and command.stamp > kept.stamp:
            ramp = self._ramp_to(goal, kept, ramp, (command, now))
        cap, warming = self._warm_in_cap(memory, now)
        if warming:
            reasons = (Reason.WARMING_IN, *reasons)
        aim, velocity = (goal, command.velocity) if ramp is None else self._along(ramp, goal, now)
        desired = self.approach(aim, velocity, at.position, at.velocity)
        memory = Following(memory.engaged_at, warming, memory.warm_in, command, ramp)
        return memory, Wanted(desired, cap, flags, reasons, command.stamp)

    def _ramp_to(self, goal: FloatArray, before: JointCommand, ramp: Ramp | None, heard: tuple[JointCommand, int]) -> Ramp | None:
        """Return the way to a new goal from where the last one is followed now; None if the source tells its velocity."""
        command, now = heard
        span = (command.stamp - before.stamp) * 1e-9 * _PATIENCE
        if command.velocity.any() or not span <= _LONGEST * _PATIENCE:
            return None
        last = np.empty_like(before.position)
        _within(before.position, self._limits.bounds, last, np.empty(len(last), dtype=np.uint8))
        start = last if ramp is None else self._along(ramp, last, now)[0]
        return Ramp(start, (goal - start) / span, now, span)

    def _along(self, ramp: Ramp, goal: FloatArray, now: int) -> tuple[FloatArray, FloatArray]:
        """Return position and velocity to aim at at the end of this tick."""
        elapsed = (now - ramp.since) * 1e-9 + self._limits.period
        if elapsed >= ramp.span:
            return goal, np.zeros_like(goal)
        return ramp.start + elapsed * ramp.velocity, ramp.velocity

    def approach(self, goal: FloatArray, goal_velocity: FloatArray, position: FloatArray, velocity: FloatArray) -> FloatArray:
        """Return the velocity of a critically damped approach, slow enough to stop at the goal, shape (n,), [rad/s].

        A source's samples come at a lower rate than ticks; ẍ = ω² (goal − x) + 2 ω (ẋ_goal − ẋ) with
        ω = 1 / smoothing joins them without steps in velocity.

        Args:
            goal: Shape (n,), [rad], finite.
            goal_velocity: Shape (n,), [rad/s], finite.
            position: Where the command is, shape (n,), [rad].
            velocity: Of the command, shape (n,), [rad/s].
        """
        period, constant = self._limits.period, self._config.smoothing
        if constant <= period:
            return self._limits.velocity_to(position, goal)
        smooth, ends = np.empty(len(goal)), self._ends
        ends[0], ends[1], ends[2], ends[3] = goal, goal_velocity, position, velocity
        _smooth(ends, self._limits.bounds, period, constant, smooth)
        return smooth

    def _warm_in_cap(self, memory: Following, now: int) -> tuple[float, bool]:
        """Return the velocity cap after a mismatched engage, opening linearly to none [rad/s], and whether it goes on."""
        if not memory.warming or memory.engaged_at is None:
            return np.inf, memory.warming
        share = (now - memory.engaged_at) * 1e-9 / memory.warm_in
        slow, full = self._config.warm_in_velocity, self._config.max_velocity
        return slow + (full - slow) * min(share, 1.0), share < 1.0


@kernel
def _smooth(ends: FloatArray, bounds: FloatArray, period: float, constant: float, out: FloatArray) -> None:
    """Write `TargetInterpolator.approach`: rows of ends are goal and velocity, position and velocity."""
    for j in range(len(out)):
        way, wanted = ends[0, j] - ends[2, j], min(max(ends[1, j], -bounds[2, j]), bounds[2, j])
        change = period / constant * (way / constant + 2.0 * (wanted - ends[3, j]))
        most = stoppable(abs(way), bounds[3, j], period) + abs(wanted)
        out[j] = min(max(ends[3, j] + change, -most), most)


@kernel
def _within(position: FloatArray, bounds: FloatArray, out: FloatArray, flags: NDArray[np.uint8]) -> None:
    """Write a position within its limits, and where it was not; bounds as in `JointLimits`."""
    for j in range(len(out)):
        out[j] = min(max(position[j], bounds[0, j]), bounds[1, j])
        flags[j] = 0 if out[j] == position[j] else _POSITION


def _equal(a: JointCommand, b: JointCommand) -> bool:
    return np.array_equal(a.position, b.position) and np.array_equal(a.velocity, b.velocity)
