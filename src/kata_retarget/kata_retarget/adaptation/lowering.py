# SPDX-License-Identifier: Apache-2.0
"""Make a motion smaller where being slower does not help: limbs that are too heavy, jumps that no gravity allows."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.trajectory import Trajectory
from kata_retarget.adaptation.demand import measure
from kata_retarget.adaptation.excess import TOLERANCE, balance_ratio
from kata_retarget.adaptation.plant import Plant
from kata_retarget.adaptation.slowing import smooth_below

__all__ = ["Lowered", "lower"]

_STEP = 0.95
"""Factor on a limb's amplitude in one round."""
_LONGEST_JUMP = 1.2
"""What is longer in the air than anybody jumps has no floor under it, and is left as it is [s]."""


class Lowered(NamedTuple):
    """A smaller motion.

    Attributes:
        trajectory: The motion; the same object if nothing was changed.
        share: What is left of each joint's distance from rest, shape (N, n).
        drop: By how much the base was lowered, shape (N,), [m].
    """

    trajectory: Trajectory
    share: FloatArray
    drop: FloatArray


def lower(plant: Plant, trajectory: Trajectory) -> Lowered:
    """Bring jumps down to the floor that gravity does not allow, then limbs nearer to rest that are too heavy to hold."""
    drop = _unsupported(plant, trajectory)
    if drop.any():
        place = trajectory.base_position - np.outer(drop, [0.0, 0.0, 1.0])
        trajectory = _changed(trajectory, trajectory.joint_position, place)
    share = np.ones_like(trajectory.joint_position)
    limit, result = share.copy(), trajectory
    reach = _reach(plant, trajectory)
    for _ in range(plant.config.rounds * 2):
        heavy = _heavy(plant, result)
        if not heavy.any():
            break
        limit = np.where(heavy, limit * _STEP, limit)
        share = smooth_below(limit, reach)
        rest = plant.robot.rest
        result = _changed(trajectory, rest + share * (trajectory.joint_position - rest), trajectory.base_position)
    return Lowered(result, share, drop)


def _changed(trajectory: Trajectory, position: FloatArray, place: FloatArray) -> Trajectory:
    return replace(trajectory, joint_position=position, base_position=place)


def _reach(plant: Plant, trajectory: Trajectory) -> int:
    stamp = trajectory.stamp
    return round(plant.config.ease * (len(stamp) - 1) / (stamp[-1] - stamp[0])) if len(stamp) > 1 else 0


def _heavy(plant: Plant, trajectory: Trajectory) -> NDArray[np.bool_]:
    """Return which joints should come nearer to rest, shape (N, n): those beyond an overloaded one, and its group.

    A joint that carries the robot on a foot is left alone: less of it would not be less load.
    """
    demand = measure(plant, trajectory)
    over = np.abs(demand.held) > plant.bounds.effort * (1.0 + TOLERANCE)
    result = np.zeros_like(over)
    for joint in np.flatnonzero(over.any(axis=0)):
        limb = _limb(plant, int(joint))
        if not _bears(plant, limb):
            result[:, limb] |= over[:, joint, None]
    return result


def _limb(plant: Plant, joint: int) -> NDArray[np.intp]:
    """Return a joint's group and everything beyond it, as places in the layout."""
    name = plant.robot.layout.names[joint]
    first = plant.model.njoints - len(plant.robot.layout)
    beyond = {int(i) - first for i in plant.model.subtrees[plant.model.getJointId(name)]}
    groups = [names for names in plant.robot.description.groups.values() if name in names]
    own = {int(i) for names in groups for i in plant.robot.layout.indices(names)}
    return np.array(sorted(beyond | own))


def _bears(plant: Plant, limb: NDArray[np.intp]) -> bool:
    """Return whether a limb carries a sole."""
    names = [plant.robot.layout.names[i] for i in limb]
    carriers = {plant.model.names[plant.model.frames[plant.model.getFrameId(sole.frame)].parentJoint] for sole in plant.soles}
    return bool(carriers & set(names))


def _unsupported(plant: Plant, trajectory: Trajectory) -> FloatArray:
    """Return by how much the base must come down for a foot to touch in flights that gravity does not allow, shape (N,)."""
    drop = np.zeros(len(trajectory.stamp))
    if not plant.soles or len(trajectory.stamp) < 3:
        return drop
    demand = measure(plant, trajectory)
    floats = demand.airborne & (balance_ratio(plant.config, demand.help) > 1.0 + TOLERANCE)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], demand.airborne.astype(int), [0]])))
    for begin, end in edges.reshape(-1, 2):
        long = trajectory.stamp[end - 1] - trajectory.stamp[begin] > _LONGEST_JUMP
        if floats[begin:end].any() and not long:
            drop[begin:end] = [_clearance(plant, trajectory, i) for i in range(begin, end)]
    return drop


def _clearance(plant: Plant, trajectory: Trajectory, i: int) -> float:
    """Return the height of the lowest sole over the floor [m]."""
    q = np.concatenate([trajectory.base_position[i], trajectory.base_orientation_xyzw[i], trajectory.joint_position[i]])
    pin.framesForwardKinematics(plant.model, plant.data, q)
    places = [(plant.data.oMf[plant.model.getFrameId(sole.frame)], sole.corners) for sole in plant.soles]
    return float(min((corners @ place.rotation.T + place.translation)[:, 2].min() for place, corners in places))
