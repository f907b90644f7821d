# SPDX-License-Identifier: Apache-2.0
"""How good a retargeted motion is; no code is shared with the engine that made it, Pinocchio and a simulator judge.

Contact labels come from the human alone: ankle or ball of the foot within 5 cm of its own 5th-percentile height
and slower than 0.25 m/s. Keypoints are relative to the hips' middle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import load_table
from kata_model.trajectory import Trajectory
from kata_retarget.mocap import MotionClip

__all__ = ["Overlaps", "Quality", "contact_labels", "judge", "limb_lengths", "robot_points", "summary"]

Overlaps = Callable[[FloatArray, float], Mapping[tuple[str, str], float]]
"""Depths [m] by pair of links that overlap by more than a depth [m] at joint positions [rad]; see `kata_sim.SelfCollision`."""

_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("thigh", "shin"), ("shin", "foot"), ("upper_arm", "forearm"), ("forearm", "hand"))
)


_MEASURED = {
    "hips, width": ("left_thigh", "right_thigh"),
    "thigh": ("thigh", "shin"),
    "shin": ("shin", "foot"),
    "hip to shoulder": ("thigh", "upper_arm"),
    "shoulders, width": ("left_upper_arm", "right_upper_arm"),
    "upper arm": ("upper_arm", "forearm"),
    "forearm": ("forearm", "hand"),
}
"""Limbs by title: the parts at their ends."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Samples of each metric over a clip; arrays so that clips can be pooled.

    Attributes:
        keypoint: Distance to the limb-wise scaled human, shape (N, k), [m].
        keypoint_uniform: Distance to the human scaled by one factor, the legs', shape (N, k), [m].
        slide: Horizontal speed of soles' centres in labelled contact, [m/s].
        penetration: Depth of the lowest sole point under the floor, shape (N,), [m].
        gap: Height of the sole's lowest point in labelled contact, [m].
        collision: Depth of the deepest self-collision, shape (N,), [m].
        change: Joint changes from frame to frame, shape (N - 1, n), [rad].
        jerk: Absolute, shape (N - 3, n), [rad/s³].
        limit_violations: Joint positions out of limits, count.
        velocity_violations: Joint velocities beyond the URDF's limits, count.
        pairs: How many frames each pair of links collides in.
    """

    keypoint: FloatArray
    keypoint_uniform: FloatArray
    slide: FloatArray
    penetration: FloatArray
    gap: FloatArray
    collision: FloatArray
    change: FloatArray
    jerk: FloatArray
    limit_violations: int
    velocity_violations: int
    pairs: Mapping[tuple[str, str], int]


def contact_labels(clip: MotionClip) -> NDArray[np.bool_]:
    """Return whether each foot is on the floor by the rule of evaluation, shape (N, 2)."""
    labels = np.zeros((len(clip), 2), dtype=bool)
    for s, side in enumerate(("left", "right")):
        for part in ("foot", "toes"):
            if f"{side}_{part}" not in clip.names:
                continue
            place = clip.position[:, clip.index(f"{side}_{part}")]
            speed = np.linalg.norm(np.gradient(place, 1.0 / clip.fps, axis=0), axis=1)
            labels[:, s] |= (place[:, 2] < np.percentile(place[:, 2], 5) + 0.05) & (speed < 0.25)
    return labels


def judge(
    robot: RobotModel, clip: MotionClip, motion: Trajectory, overlaps: Overlaps | None, labels: NDArray[np.bool_] | None = None
) -> Quality:
    """Measure a motion against the clip it came from.

    Args:
        robot: The robot.
        clip: The human.
        motion: The robot's motion, with the same frames.
        overlaps: Finds self-collisions; None leaves them out.
        labels: Whether each of the human's feet is on the floor, shape (N, 2); None for the clip's own `contact_labels`.
    """
    points, soles = robot_points(robot, motion)
    labels = contact_labels(clip) if labels is None else labels
    speed = np.linalg.norm(np.gradient(soles.mean(axis=2)[..., :2], 1.0 / clip.fps, axis=0), axis=2)
    lowest = soles[..., 2].min(axis=2)
    depth = np.zeros(len(clip))
    pairs: dict[tuple[str, str], int] = {}
    for i in range(len(clip) if overlaps else 0):
        found = overlaps(motion.joint_position[i], 0.005) if overlaps else {}
        depth[i] = max(found.values(), default=0.0)
        for pair in found:
            pairs[pair] = pairs.get(pair, 0) + 1
    q, dt = motion.joint_position, 1.0 / clip.fps
    change = np.diff(q, axis=0)
    return Quality(
        keypoint=_distance(points, _limb_wise(points, clip)),
        keypoint_uniform=_distance(points, _uniform(points, clip)),
        slide=speed[labels],
        penetration=np.maximum(0.0, -lowest.min(axis=1)),
        gap=lowest[labels],
        collision=depth,
        change=np.abs(change),
        jerk=np.abs(np.diff(q, n=3, axis=0)) / dt**3,
        limit_violations=int(((q < robot.lower - 1e-9) | (q > robot.upper + 1e-9)).sum()),
        velocity_violations=int((np.abs(change) / dt > robot.max_velocity * (1.0 + 1e-9)).sum()),
        pairs=pairs,
    )


def summary(parts: list[Quality]) -> dict[str, float]:
    """Pool clips and return the metrics by the names of the benchmark; NaN for what was nowhere to measure."""

    def pool(name: str) -> FloatArray:
        samples = np.concatenate([np.ravel(getattr(part, name)) for part in parts])
        return samples if len(samples) else np.array([np.nan])

    gap = pool("gap")
    return {
        "keypoint_error_cm": 100 * float(pool("keypoint").mean()),
        "keypoint_error_uniform_cm": 100 * float(pool("keypoint_uniform").mean()),
        "slide_mean_cm_s": 100 * float(pool("slide").mean()),
        "slide_p95_cm_s": 100 * float(np.percentile(pool("slide"), 95)),
        "penetration_max_mm": 1000 * float(pool("penetration").max()),
        "float_percent": 100 * float(np.where(np.isnan(gap), np.nan, gap > 0.02).mean()),
        "self_collision_percent": 100 * float((pool("collision") > 0.005).mean()),
        "jumps": float(sum(int((part.change > 0.5).any(axis=1).sum()) for part in parts)),
        "limit_violations": float(sum(part.limit_violations for part in parts)),
        "velocity_violations": float(sum(part.velocity_violations for part in parts)),
        "jerk": float(pool("jerk").mean()),
    }


def robot_points(robot: RobotModel, motion: Trajectory) -> tuple[dict[str, FloatArray], FloatArray]:
    """Return keypoints by human body, shape (N, 3) each, and sole corners, shape (N, 2, c, 3), in the world [m]."""
    table, model = load_table(robot), robot.pinocchio
    data, frames = model.createData(), len(motion.stamp)
    points = {row.body: np.zeros((frames, 3)) for row in table.keypoints}
    soles = np.zeros((frames, 2, len(table.soles[0].corners), 3))
    for i in range(frames):
        base = pin.SE3(pin.Quaternion(motion.base_orientation_xyzw[i]).matrix(), motion.base_position[i])
        pin.framesForwardKinematics(model, data, motion.joint_position[i])
        for row in table.keypoints:
            points[row.body][i] = (base * data.oMf[robot.frame_id(row.frame)]).act(row.offset)
        for s, sole in enumerate(table.soles):
            place = base * data.oMf[robot.frame_id(sole.frame)]
            soles[i, s] = sole.corners @ place.rotation.T + place.translation
    return points, soles


def limb_lengths(points: Mapping[str, FloatArray], clip: MotionClip) -> dict[str, tuple[float, float]]:
    """Return the lengths of the human's limbs and of the robot's [m], medians over all frames and both sides."""
    lengths = {}
    for title, (a, b) in _MEASURED.items():
        pair = [_between(body, a, b) for body in (_human_points(points, clip), points)]
        lengths[title] = (pair[0], pair[1])
    return lengths


def _between(points: Mapping[str, FloatArray], a: str, b: str) -> float:
    """Return the median distance of two parts, of which each is one of a side (``thigh``) or named in full."""
    ends = [(a, b)] if a in points else [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")]
    return float(np.median([np.linalg.norm(points[q] - points[p], axis=1) for p, q in ends]))


def _middle(points: Mapping[str, FloatArray], part: str) -> FloatArray:
    return 0.5 * (points[f"left_{part}"] + points[f"right_{part}"])


def _human_points(points: Mapping[str, FloatArray], clip: MotionClip) -> dict[str, FloatArray]:
    return {body: clip.position[:, clip.index(body)] for body in points}


def _limb_wise(points: Mapping[str, FloatArray], clip: MotionClip) -> dict[str, FloatArray]:
    """Return the human with the robot's limb lengths, relative to the hips' middle."""
    human = _human_points(points, clip)
    hips, shoulders = _middle(human, "thigh"), _middle(human, "upper_arm")
    robot_hips, robot_shoulders = _middle(points, "thigh"), _middle(points, "upper_arm")
    trunk = _stretched(shoulders - hips, robot_shoulders - robot_hips)
    scaled: dict[str, FloatArray] = {}
    for side in ("left", "right"):
        scaled[f"{side}_thigh"] = _stretched(human[f"{side}_thigh"] - hips, points[f"{side}_thigh"] - robot_hips)
        arm = f"{side}_upper_arm"
        scaled[arm] = trunk + _stretched(human[arm] - shoulders, points[arm] - robot_shoulders)
    for parent, child in _LIMBS:
        scaled[child] = scaled[parent] + _stretched(human[child] - human[parent], points[child] - points[parent])
    return scaled


def _stretched(vector: FloatArray, like: FloatArray) -> FloatArray:
    """Return vectors with the median length of others."""
    length = np.median(np.linalg.norm(like, axis=1))
    stretched: FloatArray = vector * (length / np.maximum(np.linalg.norm(vector, axis=1, keepdims=True), 1e-9))
    return stretched


def _uniform(points: Mapping[str, FloatArray], clip: MotionClip) -> dict[str, FloatArray]:
    """Return the human scaled by the ratio of leg lengths, relative to the hips' middle."""
    human = _human_points(points, clip)
    hips = _middle(human, "thigh")
    ratio = _leg(points) / _leg(human)
    return {body: ratio * (place - hips) for body, place in human.items()}


def _leg(points: Mapping[str, Any]) -> float:
    segments = [(a, b) for a, b in _LIMBS if b.endswith(("shin", "foot"))]
    return float(sum(np.median(np.linalg.norm(points[b] - points[a], axis=1)) for a, b in segments))


def _distance(points: Mapping[str, FloatArray], target: Mapping[str, FloatArray]) -> FloatArray:
    root = _middle(points, "thigh")
    return np.stack([np.linalg.norm(points[body] - root - target[body], axis=1) for body in points], axis=1)
