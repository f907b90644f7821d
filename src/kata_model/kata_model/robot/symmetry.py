# SPDX-License-Identifier: Apache-2.0
"""A robot's left-right symmetry: which joint mirrors which, found in its description and checked by its kinematics."""

import re
from dataclasses import dataclass

import numpy as np
import pinocchio as pin
from numpy.typing import ArrayLike, NDArray

from kata_model.arrays import FloatArray
from kata_model.errors import RobotError
from kata_model.robot.model import RobotModel

__all__ = ["MIRROR", "Symmetry", "find_symmetry", "mirrored_name"]

MIRROR = np.array([1.0, -1.0, 1.0])
"""What mirroring does to a position in the base's frame: y, to the left, changes its sign."""

_TOLERANCE = 0.005
"""Greatest distance of a mirrored joint from its partner [m]; URDFs made from CAD differ by a millimetre or two."""
_ALIGNED = 0.999
"""Least cosine between a mirrored joint's axis and its partner's."""
_POSTURES = 20

_SIDES = {"left": "right", "right": "left", "Left": "Right", "Right": "Left", "LEFT": "RIGHT", "RIGHT": "LEFT"}
_LETTERS = {"l": "r", "r": "l", "L": "R", "R": "L"}


@dataclass(frozen=True, slots=True)
class Symmetry:
    """How a posture is mirrored.

    Attributes:
        partner: Index of each joint's partner, shape (n,); a joint in the middle is its own.
        sign: Whether a joint's angle keeps its sign (1) or changes it (-1), shape (n,).
    """

    partner: NDArray[np.intp]
    sign: FloatArray

    def mirror(self, joints: ArrayLike) -> FloatArray:
        """Return joint positions, velocities or efforts as their mirror image, shape (…, n); mirrored twice is the same."""
        values = np.asarray(joints, dtype=float)
        mirrored: FloatArray = self.sign * values[..., self.partner]
        return mirrored


def mirrored_name(name: str) -> str:
    """Return the name of what is on the other side: left and right, or l and r between underscores, change places."""
    swapped = re.sub("|".join(_SIDES), lambda match: _SIDES[match[0]], name)
    if swapped != name:
        return swapped
    return "_".join(_LETTERS.get(part, part) for part in name.split("_"))


def find_symmetry(robot: RobotModel) -> Symmetry:
    """Return the symmetry of a robot.

    Partners have mirrored names. The sign follows from the joints' axes at position 0: a mirrored turn about an axis a is one
    about -M a, as a is a pseudovector, and a mirrored shift along a is one along M a, with M = diag(1, -1, 1).

    Raises:
        RobotError: A joint has no partner, or mirrored postures are not mirror images (by more than 5 mm).
    """
    names = robot.layout.names
    partner = [_partner(robot, name) for name in names]
    pin.computeJointJacobians(robot.pinocchio, data := robot.pinocchio.createData(), np.zeros(len(names)))
    axes = [
        pin.getJointJacobian(robot.pinocchio, data, i + 1, pin.ReferenceFrame.LOCAL_WORLD_ALIGNED)[:, i]
        for i in range(len(names))
    ]
    image = np.concatenate([MIRROR, -MIRROR])
    along = np.array([image * axis @ axes[partner[i]] for i, axis in enumerate(axes)])
    for i in np.flatnonzero(np.abs(along) < _ALIGNED):
        raise _asymmetric(robot, f"the axis of {names[i]} is not the mirror image of {names[partner[i]]}'s")
    symmetry = Symmetry(np.array(partner), np.sign(along))
    _check(robot, symmetry)
    return symmetry


def _partner(robot: RobotModel, name: str) -> int:
    other = mirrored_name(name)
    if other not in robot.layout.names:
        raise _asymmetric(robot, f"joint {name} has no partner {other}")
    return robot.layout.names.index(other)


def _check(robot: RobotModel, symmetry: Symmetry) -> None:
    """Compare the places of all joints in random postures with those of the mirrored postures."""
    rng = np.random.default_rng(0)
    for posture in rng.uniform(robot.lower, robot.upper, (_POSTURES, len(robot.layout))):
        here, there = _places(robot, posture), _places(robot, symmetry.mirror(posture))
        off = np.linalg.norm(here * MIRROR - there[symmetry.partner], axis=1)
        if not off.max() <= _TOLERANCE:
            worst = robot.layout.names[int(off.argmax())]
            raise _asymmetric(robot, f"{worst} is {1e3 * off.max():.0f} mm from the mirror image of its partner")


def _places(robot: RobotModel, posture: FloatArray) -> FloatArray:
    """Return where the joints are in the base's frame, shape (n, 3), [m]."""
    data = robot.pinocchio.createData()
    pin.forwardKinematics(robot.pinocchio, data, posture)
    return np.array([data.oMi[i + 1].translation for i in range(len(robot.layout))])


def _asymmetric(robot: RobotModel, why: str) -> RobotError:
    return RobotError(f"is not symmetric: {why}", where=robot.description.name, fix="train without --mirror")
