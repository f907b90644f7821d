# SPDX-License-Identifier: Apache-2.0
"""Check a motion by inverse dynamics, mend what can be mended, and tell what was done where."""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import Sole
from kata_model.trajectory import Trajectory
from kata_retarget.adaptation.config import AdaptConfig
from kata_retarget.adaptation.demand import Demand, measure
from kata_retarget.adaptation.excess import Excess, excesses, ratios, violating
from kata_retarget.adaptation.lowering import Lowered, lower
from kata_retarget.adaptation.plant import Plant, make_plant
from kata_retarget.adaptation.slowing import Slowed, slow

__all__ = ["Adaptation", "Mend", "adapt"]


@dataclass(frozen=True, slots=True)
class Mend:
    """One excess of the original motion, and what became of it.

    Attributes:
        excess: What was too much, where and when.
        speed: Slowest speed in that stretch, per the original's.
        share: Least that is left of the amplitude there.
        drop: By how much the base was lowered there [m].
        after: Largest value per limit in the adapted motion's same stretch.
    """

    excess: Excess
    speed: float
    share: float
    drop: float
    after: float

    def __str__(self) -> str:
        """Say it in a line."""
        e = self.excess
        what = _WORDS[e.kind].format(joint=e.joint, ratio=e.ratio)
        done = []
        if self.drop > 0.005:
            done.append(f"brought {100 * self.drop:.0f} cm down to the floor")
        if self.share < 0.995:
            done.append(f"lowered to {self.share:.0%}")
        if self.speed < 0.995:
            done.append(f"slowed to {self.speed:.0%}")
        text = f"{e.begin:.2f}–{e.end:.2f} s: {what}; {', '.join(done) or 'left as it is'}"
        if self.after > 1.0:
            text += f", still {self.after:.2f} times the limit" + (" and impossible even at rest" if e.held > 1.0 else "")
        return text


_WORDS = {
    "effort": "{joint} needs {ratio:.2f} times its effort limit",
    "velocity": "{joint} has {ratio:.2f} times its velocity limit",
    "acceleration": "{joint} has {ratio:.2f} times its acceleration limit",
    "balance": "the floor cannot carry the motion, {ratio:.1f} times the tolerance",
    "flight": "in the air it does not move as gravity would have it, {ratio:.1f} times the tolerance",
}


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A motion that was checked and mended.

    Attributes:
        original: Before.
        trajectory: After; the same object if nothing was too much.
        before: What the original asks.
        after: What the adapted motion asks.
        time: When each adapted frame was in the original, shape (M,), [s].
        speed: Original time per time by frame of the original, shape (N,).
        mends: What was too much and what became of it, in order of time.
        violating: Share of frames with anything beyond a limit, before and after.
        worst: Largest value per limit by kind, before and after.
    """

    original: Trajectory
    trajectory: Trajectory
    before: Demand
    after: Demand
    time: FloatArray
    speed: FloatArray
    mends: tuple[Mend, ...]
    violating: tuple[float, float]
    worst: dict[str, tuple[float, float]]

    @property
    def duration_factor(self) -> float:
        """Duration after over before."""
        span = float(self.original.stamp[-1] - self.original.stamp[0])
        return float(self.trajectory.stamp[-1] - self.trajectory.stamp[0]) / span if span > 0.0 else 1.0

    @property
    def feasible(self) -> bool:
        """Whether nothing is beyond a limit in the adapted motion."""
        return self.violating[1] == 0.0

    def __str__(self) -> str:
        """Sum it up in a line."""
        if not self.mends:
            return "dynamics: within all limits, unchanged"
        rest = "within all limits" if self.feasible else f"{self.violating[1]:.0%} of the frames still beyond"
        return (
            f"dynamics: {self.violating[0]:.0%} of the frames beyond limits, {len(self.mends)} stretches; "
            f"{self.duration_factor:.2f} times as long; {rest}"
        )


def adapt(
    robot: RobotModel, trajectory: Trajectory, soles: tuple[Sole, ...] = (), config: AdaptConfig | None = None
) -> Adaptation:
    """Adapt a motion to a robot's dynamics; one within all limits comes back untouched.

    Args:
        robot: The robot.
        trajectory: The motion; joints in the robot's layout order.
        soles: What stands on the floor; without any, the base is taken as held.
        config: Settings; None for the defaults.
    """
    plant = make_plant(robot, soles, config or AdaptConfig())
    before = measure(plant, trajectory)
    found = excesses(plant, before)
    if not found:
        one = np.ones(len(trajectory.stamp))
        return Adaptation(
            trajectory, trajectory, before, before, trajectory.stamp, one, (), (0.0, 0.0), _worst(plant, before, before)
        )
    lowered = lower(plant, trajectory)
    slowed = slow(plant, lowered.trajectory)
    return Adaptation(
        trajectory,
        slowed.trajectory,
        before,
        slowed.demand,
        slowed.time,
        slowed.speed,
        tuple(_mend(plant, excess, trajectory, lowered, slowed) for excess in found),
        (float(violating(plant, before).mean()), float(violating(plant, slowed.demand).mean())),
        _worst(plant, before, slowed.demand),
    )


def _worst(plant: Plant, before: Demand, after: Demand) -> dict[str, tuple[float, float]]:
    old, new = ratios(plant, before), ratios(plant, after)
    return {kind: (float(old[kind][0].max()), float(new[kind][0].max())) for kind in old}


def _mend(plant: Plant, excess: Excess, trajectory: Trajectory, lowered: Lowered, slowed: Slowed) -> Mend:
    margin = 1e-9
    rows = (trajectory.stamp >= excess.begin - margin) & (trajectory.stamp <= excess.end + margin)
    later = (slowed.time >= excess.begin - margin) & (slowed.time <= excess.end + margin)
    after = ratios(plant, slowed.demand)[excess.kind][0]
    column = plant.robot.layout.names.index(excess.joint) if excess.joint else 0
    return Mend(
        excess,
        float(slowed.speed[rows].min()),
        float(lowered.share[rows][:, column].min()) if excess.joint else 1.0,
        float(lowered.drop[rows].max()),
        float(after[later, column].max()) if later.any() else 0.0,
    )
