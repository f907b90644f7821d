# SPDX-License-Identifier: Apache-2.0
"""Pictures of human and robot side by side at the moments of a clip that differ most."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_report.human import figure_of
from kata_report.pictures import Shot, encode, jpeg_uri
from kata_report.retarget.retarget_view import ClipView
from kata_sim import PoseRenderer, View

__all__ = ["interesting_frames", "side_by_side"]

_OUT_OF_SIGHT = (400.0, 0.0, 1.0)
"""Where the robot is while the human is drawn [m]."""
_TURN = 0.6
"""What a turn by 1 rad is worth beside a movement by 1 m, where moments are chosen [m/rad]."""


def interesting_frames(view: ClipView, count: int) -> list[int]:
    """Return the frames that differ most from one another in posture, height and heading, in order of time.

    They are found one by one, each as far as can be from those before (Gonzalez 1985), from the first frame on.
    """
    seen = _features(view)
    chosen = [0]
    distance = np.linalg.norm(seen - seen[0], axis=1)
    while len(chosen) < min(count, len(seen)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(seen - seen[chosen[-1]], axis=1))
    return sorted(set(chosen))


def side_by_side(renderer: PoseRenderer, robot: RobotModel, view: ClipView, row: int) -> Shot:
    """Render the human, as a figure of the robot's size, and the robot, both from the same side."""
    height = robot.description.base_height
    scale = _leg_ratio(view)
    place = {body: scale * view.human.position[row, i] for i, body in enumerate(view.human.names)}
    images = []
    for at, base, markers in (
        (place["pelvis"], np.array(_OUT_OF_SIGHT), figure_of(place, scale)),
        (view.motion.base_position[row], view.motion.base_position[row], []),
    ):
        look = View((float(at[0]), float(at[1]), 0.95 * height), 2.7 * height, _heading(view) + 2.6, -0.12)
        turn = view.motion.base_orientation_xyzw[row]
        position = view.motion.joint_position[row]
        images.append(renderer.render(position, base_position=base, base_orientation_xyzw=turn, markers=markers, view=look))
    return Shot(jpeg_uri(encode(np.concatenate(images, axis=1))), float(view.seconds[row]), "")


def _features(view: ClipView) -> FloatArray:
    """Return what tells one moment from another, shape (N, f), in [m]: bodies about the pelvis, its height, its heading."""
    human = view.human
    pelvis = human.position[:, human.index("pelvis")]
    x, y, z, w = human.orientation_xyzw[:, human.index("pelvis")].T
    heading = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    c, s = np.cos(heading), np.sin(heading)
    away = human.position - pelvis[:, None]
    forward = c[:, None] * away[..., 0] + s[:, None] * away[..., 1]
    left = c[:, None] * away[..., 1] - s[:, None] * away[..., 0]
    posture = np.stack([forward, left, away[..., 2]], axis=-1).reshape(len(human), -1)
    turn = _TURN * np.column_stack([np.cos(heading), np.sin(heading)])
    return np.concatenate([posture, 4.0 * pelvis[:, 2:], 2.0 * turn], axis=1)


def _leg_ratio(view: ClipView) -> float:
    """Return the robot's legs over the human's."""
    human, robot = (sum(view.limbs[limb][i] for limb in ("thigh", "shin")) for i in (0, 1))
    return float(robot / human)


def _heading(view: ClipView) -> float:
    """Return where the robot looks at the start [rad]."""
    x, y, z, w = view.motion.base_orientation_xyzw[0]
    return float(np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)))
