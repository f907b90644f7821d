# SPDX-License-Identifier: Apache-2.0
"""The human beside the robot: wrists on limbs of the robot's lengths, and a figure to draw.

Both are seen from the pelvis, so that where the person walks does not matter to a robot whose base stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kata_data.episodes.episode import BodySeries, Episode
from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import load_table
from kata_sim import Marker

__all__ = ["SIDES", "WristTrack", "figure_markers", "figure_of", "in_pelvis", "track_wrists"]

SIDES = ("left", "right")
_ARM = ("upper_arm", "forearm", "hand")
_LIMBS = (
    ("pelvis", "torso", "head"),
    *(("torso", *(f"{side}_{part}" for part in _ARM)) for side in SIDES),
    *(("pelvis", *(f"{side}_{part}" for part in ("thigh", "shin", "foot", "toes"))) for side in SIDES),
)
_COLOUR = (0.48, 0.31, 0.75, 1.0)
_DELAYS = np.arange(0.0, 0.31, 0.01)
"""Delays that are tried [s]; the robot cannot follow at once."""


@dataclass(frozen=True, slots=True)
class WristTrack:
    """Wrists relative to their shoulders, in the pelvis' frame, while the person was engaged; F samples.

    Attributes:
        seconds: Since the start of the episode, shape (F,), [s].
        human: Left and right wrist on arms of the robot's lengths, shape (F, 2, 3), [m].
        robot: The robot's, at the same times, shape (F, 2, 3), [m].
        delay: By how much the robot is later, as far as it explains the difference [s].
        error: Distance after that delay, shape (F', 2), [m].
    """

    seconds: FloatArray
    human: FloatArray
    robot: FloatArray
    delay: float
    error: FloatArray


def in_pelvis(human: BodySeries, body: str) -> FloatArray:
    """Return a body's positions in the pelvis' frame, shape (F, 3), [m]."""
    turns = _matrices(human.orientation_xyzw["pelvis"])
    inside: FloatArray = np.einsum("fji,fj->fi", turns, human.position[body] - human.position["pelvis"])
    return inside


def track_wrists(episode: Episode, robot: RobotModel) -> WristTrack | None:
    """Compare wrists; None if the bag has no human, the human no arms, or nobody was engaged."""
    human = episode.human
    arms = {f"{side}_{part}" for side in SIDES for part in _ARM}
    if human is None or not (arms | {"pelvis"}) <= set(human.position) or not human.engaged.any():
        return None
    lengths, robot_track = _robot_wrists(episode, robot)
    human_track = np.stack([_scaled(human, side, lengths[i]) for i, side in enumerate(SIDES)], axis=1)[human.engaged]
    seconds, state_seconds = episode.seconds(human.stamp[human.engaged]), episode.seconds(episode.state.stamp)
    errors = [_errors(seconds + delay, human_track, state_seconds, robot_track) for delay in _DELAYS]
    best = int(np.argmin([error.mean() if len(error) else np.inf for error in errors]))
    followed = _at(seconds, state_seconds, robot_track)
    return WristTrack(seconds, human_track, followed, float(_DELAYS[best]), errors[best])


def figure_markers(human: BodySeries, row: int, origin: Sequence[float], scale: float) -> list[Marker]:
    """Return a stick figure of one sample, seen from its pelvis.

    Args:
        human: The bodies.
        row: Which sample.
        origin: Where its pelvis is drawn, in the world, shape (3,), [m].
        scale: Size on the picture over size of the person.
    """
    return figure_of({body: np.asarray(origin) + scale * in_pelvis(human, body)[row] for body in human.position}, scale)


def figure_of(place: Mapping[str, FloatArray], scale: float) -> list[Marker]:
    """Return a stick figure.

    Args:
        place: Where its bodies are drawn, in the world, shape (3,) each, [m].
        scale: Size on the picture over size of the person.
    """
    lines = [
        Marker(place[a], end=place[b], radius=0.022, rgba=_COLOUR)
        for limb in _LIMBS
        for a, b in pairwise([body for body in limb if body in place])
    ]
    dots = [Marker(point, radius=0.085 * scale if body == "head" else 0.03, rgba=_COLOUR) for body, point in place.items()]
    return [*lines, *dots]


def _robot_wrists(episode: Episode, robot: RobotModel) -> tuple[list[list[float]], FloatArray]:
    """Return each arm's lengths [m], and wrists relative to shoulders at each joint state, shape (S, 2, 3)."""
    frames = {row.body: row.frame for row in load_table(robot).keypoints}
    arms = [tuple(frames[f"{side}_{part}"] for part in _ARM) for side in SIDES]
    at_rest = [[pose.translation for pose in robot.frame_poses(robot.rest, arm)] for arm in arms]
    lengths = [[float(np.linalg.norm(b - a)) for a, b in pairwise(points)] for points in at_rest]
    ends = tuple(frame for arm in arms for frame in (arm[0], arm[2]))
    track = []
    for position in episode.state.position:
        points = [pose.translation for pose in robot.frame_poses(position, ends)]
        track.append([points[1] - points[0], points[3] - points[2]])
    return lengths, np.array(track)


def _scaled(human: BodySeries, side: str, lengths: Sequence[float]) -> FloatArray:
    """Return a wrist relative to its shoulder, each limb in the human's direction and of the robot's length."""
    points = [in_pelvis(human, f"{side}_{part}") for part in _ARM]
    limbs = [b - a for a, b in pairwise(points)]
    wrist: FloatArray = np.sum(
        [length * limb / np.linalg.norm(limb, axis=1, keepdims=True) for length, limb in zip(lengths, limbs, strict=True)], axis=0
    )
    return wrist


def _errors(at: FloatArray, human: FloatArray, seconds: FloatArray, robot: FloatArray) -> FloatArray:
    inside = at <= seconds[-1]
    error: FloatArray = np.linalg.norm(_at(at[inside], seconds, robot) - human[inside], axis=2)
    return error


def _at(at: FloatArray, seconds: FloatArray, values: FloatArray) -> FloatArray:
    """Interpolate values of shape (S, 2, 3) at some times."""
    flat = values.reshape(len(values), -1)
    columns = [np.interp(at, seconds, flat[:, i]) for i in range(flat.shape[1])]
    return np.stack(columns, axis=1).reshape(-1, *values.shape[1:])


def _matrices(xyzw: FloatArray) -> FloatArray:
    """Return rotation matrices of unit quaternions, shape (F, 3, 3)."""
    x, y, z, w = xyzw.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
