# SPDX-License-Identifier: Apache-2.0
"""A retargeted clip's verdict in words: clean, or what is wrong where."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kata_model.arrays import FloatArray
from kata_report.charts import plain
from kata_report.retarget.retarget_view import ClipView

__all__ = ["METRICS", "Fault", "Metric", "find_faults", "within"]

_GAP = 0.2
"""Faults of one kind that are nearer to each other are one [s]."""
_SLIDE, _FLOAT, _SUNK, _OVERLAP, _JUMP, _FAR = 0.06, 0.02, 0.003, 0.005, 0.5, 0.15


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of `kata_retarget.quality.summary`.

    Attributes:
        key: Its name there.
        title: As people call it.
        unit: Its unit.
        limit: Up to where a clip counts as clean.
    """

    key: str
    title: str
    unit: str
    limit: float


METRICS = (
    Metric("keypoint_error_cm", "keypoints off the human's, limb by limb of the robot's length, mean", "cm", 6.7),
    Metric("keypoint_error_uniform_cm", "keypoints off the human's, all scaled alike, mean", "cm", np.inf),
    Metric("slide_mean_cm_s", "feet slide in contact, mean", "cm/s", 3.0),
    Metric("slide_p95_cm_s", "feet slide in contact, 95 % stay below", "cm/s", 6.0),
    Metric("penetration_max_mm", "a sole under the floor, deepest", "mm", 3.0),
    Metric("float_percent", "soles over 2 cm above the floor in contact", "%", 3.0),
    Metric("self_collision_percent", "frames in which the robot touches itself by over 5 mm", "%", 1.0),
    Metric("jumps", "frames in which a joint jumps by over 0.5 rad", "", 0.0),
    Metric("limit_violations", "joint positions beyond limits", "", 0.0),
    Metric("velocity_violations", "joint velocities beyond limits", "", 0.0),
    Metric("jerk", "jerk of the joints, mean", "rad/s³", 500.0),
)
"""The limits are the floors that the project sets itself for flat clips."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong.

    Attributes:
        text: In words.
        where: Stretches of time with it, [s]; empty if it is the whole clip's.
    """

    text: str
    where: tuple[tuple[float, float], ...] = ()

    def __str__(self) -> str:
        """Say what and where, of many places the first few."""
        spans = [f"{begin:.1f} s" if end - begin < 0.1 else f"{begin:.1f}–{end:.1f} s" for begin, end in self.where[:4]]
        more = f" and {len(self.where) - 4} more times" if len(self.where) > 4 else ""
        return f"{self.text}{', at ' if spans else ''}{', '.join(spans)}{more}"


def within(view: ClipView, metric: Metric) -> bool:
    """Return whether a figure is within its limit; NaN, where nothing was to measure, is."""
    value = view.figures[metric.key]
    return bool(np.isnan(value) or value <= metric.limit)


def find_faults(view: ClipView) -> list[Fault]:
    """Return what is wrong with a clip; empty for a clean one."""
    wrong = {metric.key for metric in METRICS if not within(view, metric)}
    faults = list(_of_joints(view, wrong))
    faults += _of_feet(view, wrong)
    if "self_collision_percent" in wrong:
        pairs = sorted(view.quality.pairs.items(), key=lambda item: -item[1])[:2]
        names = ", ".join(f"{plain(a)} and {plain(b)}" for (a, b), _ in pairs)
        faults.append(Fault(f"the robot touches itself ({names})", _spans(view, view.quality.collision > _OVERLAP)))
    if "keypoint_error_cm" in wrong:
        worst = view.quality.keypoint.max(axis=1)
        body = view.keypoints[int(view.quality.keypoint.mean(axis=0).argmax())]
        faults.append(Fault(f"the posture is off, most at the {plain(body)}", _spans(view, worst > _FAR)))
    if "jerk" in wrong:
        faults.append(Fault(f"the joints jerk ({view.figures['jerk']:.0f} rad/s³ on average)"))
    if view.adaptation is not None and not view.adaptation.feasible:
        faults.append(Fault(f"motors, floor or gravity cannot do {view.adaptation.violating[1]:.0%} of the frames"))
    return faults


def _of_joints(view: ClipView, wrong: set[str]) -> Iterator[Fault]:
    names = view.motion.joint_names
    if "jumps" in wrong:
        jumps = view.quality.change > _JUMP
        joint = plain(names[int(jumps.sum(axis=0).argmax())])
        yield Fault(f"joints jump, most the {joint}", _spans(view, jumps.any(axis=1)))
    if "limit_violations" in wrong:
        yield Fault(f"{view.quality.limit_violations} joint positions are beyond limits")
    if "velocity_violations" in wrong:
        fast = view.quality.change * view.result.job.fps / view.max_velocity
        joint = plain(names[int(fast.max(axis=0).argmax())])
        yield Fault(f"joints are faster than their motors, most the {joint}", _spans(view, fast.max(axis=1) > 1.0))


def _of_feet(view: ClipView, wrong: set[str]) -> Iterator[Fault]:
    for s, side in enumerate(("left", "right")):
        slides = view.labels[:, s] & (view.slide[:, s] > _SLIDE)
        if wrong & {"slide_mean_cm_s", "slide_p95_cm_s"} and slides.any():
            top = 100 * view.slide[slides, s].max()
            yield Fault(f"the {side} foot slides in contact, up to {top:.0f} cm/s", _spans(view, slides))
        sunk = -view.height[:, s] > _SUNK
        if "penetration_max_mm" in wrong and sunk.any():
            yield Fault(f"the {side} sole is up to {-1000 * view.height[:, s].min():.0f} mm under the floor", _spans(view, sunk))
        floats = view.labels[:, s] & (view.height[:, s] > _FLOAT)
        if "float_percent" in wrong and floats.any():
            top = 100 * view.height[floats, s].max()
            yield Fault(f"the {side} foot floats up to {top:.0f} cm while the human's stands", _spans(view, floats))


def _spans(view: ClipView, rows: Any) -> tuple[tuple[float, float], ...]:
    """Return the stretches of time in which something holds, of shape (N,) or shorter, [s]; short gaps are bridged."""
    at: FloatArray = view.seconds[np.flatnonzero(rows)]
    if len(at) == 0:
        return ()
    breaks = np.flatnonzero(np.diff(at) > _GAP)
    begins, ends = at[np.concatenate([[0], breaks + 1])], at[np.concatenate([breaks, [len(at) - 1]])]
    return tuple(zip(begins.tolist(), ends.tolist(), strict=True))
