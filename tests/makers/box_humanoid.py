# SPDX-License-Identifier: Apache-2.0
"""A humanoid of boxes as a URDF: small, without meshes, and each measure known."""

from pathlib import Path

import numpy as np

HIP, KNEE, ANKLE, SOLE = -0.1, -0.5, -0.9, -0.97  # heights over the pelvis [m]
SHOULDER, ELBOW, WRIST = 0.4, 0.1, -0.15
ACROSS_HIP, ACROSS_SHOULDER = 0.1, 0.22

_LIMIT = '<limit lower="{}" upper="{}" velocity="{}" effort="{}"/>'


def write_box_humanoid(
    file: Path, *, velocity: float = 8.0, mesh: str = "", finger: bool = True, legs: bool = True, turned: bool = False
) -> Path:
    """Write the URDF; its zero posture stands straight with hanging arms.

    Args:
        file: To write.
        velocity: Limit of the left knee [rad/s].
        mesh: File that the head's visual names, if any.
        finger: Whether hands have a finger.
        legs: Whether it has legs.
        turned: Whether its toes point backwards.
    """
    lines = ['<robot name="Box Humanoid">', _link("pelvis", (0.2, 0.25, 0.15), (0, 0, 0))]
    lines += _chain("chest", "pelvis", [("waist_yaw", "z", (0, 0, 0.1), (-1.5, 1.5), (0.18, 0.36, 0.3), (0, 0, 0.17))])
    lines += _chain("head", "chest_0", [("neck_yaw", "z", (0, 0, 0.36), (-1, 1), (0.12, 0.12, 0.18), (0, 0, 0.1))], mesh=mesh)
    toes = -0.05 if turned else 0.05
    for side, sign in (("left", 1.0), ("right", -1.0)):
        if legs:
            lines += _chain(f"{side}_leg", "pelvis", _leg(side, sign, toes), velocity=velocity if side == "left" else 8.0)
        lines += _chain(f"{side}_arm", "chest_0", _arm(side, sign, finger))
    file.write_text("\n".join([*lines, "</robot>"]))
    return file


_Joint = tuple[str, str, tuple[float, ...], tuple[float, float], tuple[float, ...] | None, tuple[float, ...]]


def _leg(side: str, sign: float, toes: float) -> list[_Joint]:
    return [
        (f"{side}_hip_yaw", "z", (0, sign * ACROSS_HIP, HIP), (-1, 1), None, (0, 0, 0)),
        (f"{side}_hip_roll", "x", (0, 0, 0), (-0.5, 0.5), None, (0, 0, 0)),
        (f"{side}_hip_pitch", "y", (0, 0, 0), (-2, 1), (0.1, 0.1, 0.36), (0, 0, -0.2)),
        (f"{side}_knee", "y", (0, 0, KNEE - HIP), (0, 2.2), (0.09, 0.09, 0.36), (0, 0, -0.2)),
        (f"{side}_ankle_pitch", "y", (0, 0, ANKLE - KNEE), (-0.9, 0.9), None, (0, 0, 0)),
        (f"{side}_ankle_roll", "x", (0, 0, 0), (-0.5, 0.5), (0.24, 0.1, 0.06), (toes, 0, SOLE - ANKLE + 0.03)),
    ]


def _arm(side: str, sign: float, finger: bool) -> list[_Joint]:
    arm: list[_Joint] = [
        (f"{side}_shoulder_pitch", "y", (0, sign * ACROSS_SHOULDER, SHOULDER - 0.1), (-2.5, 1.5), None, (0, 0, 0)),
        (f"{side}_shoulder_roll", "x", (0, 0, 0), (-0.1, 2.8) if sign > 0 else (-2.8, 0.1), None, (0, 0, 0)),
        (f"{side}_shoulder_yaw", "z", (0, 0, 0), (-2, 2), (0.08, 0.08, 0.26), (0, 0, -0.15)),
        (f"{side}_elbow", "y", (0, 0, ELBOW - SHOULDER), (-2.3, 0), (0.07, 0.07, 0.22), (0, 0, -0.12)),
        (f"{side}_wrist_yaw", "z", (0, 0, WRIST - ELBOW), (-1.5, 1.5), (0.09, 0.04, 0.14), (0, 0, -0.08)),
    ]
    return [*arm, (f"{side}_finger", "x", (0.03, 0, -0.15), (0, 1), (0.02, 0.02, 0.06), (0, 0, -0.03))] if finger else arm


def _chain(stem: str, parent: str, joints: list[_Joint], mesh: str = "", velocity: float = 8.0) -> list[str]:
    lines = []
    for i, (name, axis, place, (low, high), size, centre) in enumerate(joints):
        child = f"{stem}_{i}"
        limit = _LIMIT.format(low, high, velocity if name.endswith("knee") else 8.0, 60.0)
        lines += [
            _link(child, size, centre, mesh),
            f'<joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/>{limit}',
            f'<origin xyz="{_words(place)}"/><axis xyz="{_words(np.eye(3)["xyz".index(axis)])}"/></joint>',
        ]
        parent = child
    return lines


def _link(name: str, size: tuple[float, ...] | None, centre: tuple[float, ...], mesh: str = "") -> str:
    inertial = (
        f'<inertial><origin xyz="{_words(centre)}"/><mass value="{2.0 if size else 0.3}"/>'
        '<inertia ixx="0.02" iyy="0.02" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>'
    )
    if size is None:
        return f'<link name="{name}">{inertial}</link>'
    shape = f'<mesh filename="{mesh}"/>' if mesh else f'<box size="{_words(size)}"/>'
    placed = f'<origin xyz="{_words(centre)}"/><geometry>{shape}</geometry>'
    return f'<link name="{name}">{inertial}<collision>{placed}</collision></link>'


def _words(values: object) -> str:
    return " ".join(f"{float(value):g}" for value in np.asarray(values, dtype=float))
