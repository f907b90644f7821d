# SPDX-License-Identifier: Apache-2.0
"""What a motion asks of a robot, frame by frame, by inverse dynamics."""

from dataclasses import dataclass

import daqp
import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.trajectory import Trajectory
from kata_retarget.adaptation.path import MotionPath, Sample
from kata_retarget.adaptation.plant import Contacts, Plant
from kata_safety.stops.stability import support_margin

__all__ = ["Demand", "carry", "measure"]

_LEVER = 0.1
"""A moment of so much weight times metres counts as much as a force of the weight [m]."""
_SPARE = 1e-4
"""Cost of a joint at its effort limit, against a missing force of the whole weight."""
_REGULAR = 1e-7


@dataclass(frozen=True, slots=True)
class Demand:
    """What each of N frames asks; n joints.

    Attributes:
        stamp: Shape (N,), [s].
        effort: Of the motors, shape (N, n), [N·m].
        held: The same if the robot stood still in each posture.
        velocity: Shape (N, n), [rad/s].
        acceleration: Shape (N, n), [rad/s²].
        help: What nobody gives at the base: force per weight, and moment per weight [m], shape (N, 2).
        help_held: The same if the robot stood still.
        zmp: How far the zero-moment point is inside the support, shape (N,), [m]; NaN in the air or with a held base.
        com: Likewise the centre of mass over the floor.
        airborne: Frames of a free base in which nothing bears, shape (N,).
    """

    stamp: FloatArray
    effort: FloatArray
    held: FloatArray
    velocity: FloatArray
    acceleration: FloatArray
    help: FloatArray
    help_held: FloatArray
    zmp: FloatArray
    com: FloatArray
    airborne: NDArray[np.bool_]


def measure(plant: Plant, trajectory: Trajectory) -> Demand:
    """Ask inverse dynamics about a trajectory."""
    sample = MotionPath(trajectory).at(trajectory.stamp)
    n, count = len(trajectory.joint_names), len(trajectory.stamp)
    q, v, a = _generalised(plant, sample, n)
    effort, held = np.zeros((count, n)), np.zeros((count, n))
    missing, missing_held = np.zeros((count, 2)), np.zeros((count, 2))
    zmp, com = np.full(count, np.nan), np.full(count, np.nan)
    airborne = np.zeros(count, dtype=bool)
    still = np.zeros(plant.model.nv)
    for i in range(count):
        contacts = plant.bearing(q[i], trajectory.contact[i])
        airborne[i] = plant.base > 0 and len(contacts.point) == 0
        moving, resting = pin.rnea(plant.model, plant.data, q[i], v[i], a[i]).copy(), _weight(plant, q[i], still)
        zmp[i], com[i] = _inside(q[i], moving, contacts), _inside(q[i], resting, contacts)
        effort[i], missing[i] = _split(plant, carry(plant, contacts, moving))
        held[i], missing_held[i] = _split(plant, carry(plant, contacts, resting))
    return Demand(
        trajectory.stamp,
        effort,
        held,
        sample.first[:, :n],
        sample.second[:, :n],
        missing,
        missing_held,
        zmp,
        com,
        airborne,
    )


def _weight(plant: Plant, q: FloatArray, still: FloatArray) -> FloatArray:
    load: FloatArray = pin.rnea(plant.model, plant.data, q, still, still).copy()
    return load


def _split(plant: Plant, left: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the joints' efforts, and force and moment per weight that the base lacks."""
    b = plant.base
    lacks = np.linalg.norm(left[:b].reshape(-1, 3), axis=1) / plant.weight if b else np.zeros(2)
    return left[b:], lacks


def _generalised(plant: Plant, sample: Sample, n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Pinocchio's q, v and a, shapes (N, nq) and (N, nv), base velocities in the base's frame."""
    joints = [part[:, :n] for part in sample]
    if plant.base == 0:
        return joints[0], joints[1], joints[2]
    place, linear, linear_rate = (part[:, n : n + 3] for part in sample)
    turn, turning, turning_rate = (part[:, n + 3 :] for part in sample)
    spin, spin_rate = 2.0 * _local(turn, turning), 2.0 * _local(turn, turning_rate)
    to_base = np.stack([pin.Quaternion(*row[[3, 0, 1, 2]]).matrix().T for row in turn])
    speed = np.einsum("fij,fj->fi", to_base, linear)
    rate = np.einsum("fij,fj->fi", to_base, linear_rate) - np.cross(spin, speed)
    q = np.concatenate([place, turn, joints[0]], axis=1)
    return q, np.concatenate([speed, spin, joints[1]], axis=1), np.concatenate([rate, spin_rate, joints[2]], axis=1)


def _local(turn: FloatArray, change: FloatArray) -> FloatArray:
    """Return the vector part of conj(turn) ⊗ change, quaternions xyzw, shape (N, 3)."""
    u, w = turn[:, :3], turn[:, 3:]
    r, s = change[:, :3], change[:, 3:]
    return w * r - s * u - np.cross(u, r)


def _inside(q: FloatArray, load: FloatArray, contacts: Contacts) -> float:
    """Return how far the point is inside the support in which the floor would have to push [m]; NaN without support."""
    if len(contacts.point) == 0:
        return float("nan")
    rotation = pin.Quaternion(*q[[6, 3, 4, 5]]).matrix()
    force = rotation @ load[:3]
    moment = rotation @ load[3:6] + np.cross(q[:3] - [0.0, 0.0, contacts.point[:, 2].min()], force)
    if not force[2] > 0.0:
        return float("nan")
    return support_margin(np.array([-moment[1], moment[0]]) / force[2], contacts.point[:, :2])


def carry(plant: Plant, contacts: Contacts, load: FloatArray) -> FloatArray:
    """Let the floor carry what it can of a load.

    Of all forces that explain the base's wrench best, those that spare the joints most are taken.

    Args:
        plant: The robot.
        contacts: Where the floor can push.
        load: Generalised forces that the motion needs, shape (nv,), base first: [N], [N·m].

    Returns:
        What is left: for the base nobody, for the joints their motors give it, shape (nv,).
    """
    if plant.base == 0 or len(contacts.point) == 0:
        return load
    mu = plant.config.friction / np.sqrt(2.0)  # the pyramid lies inside the cone
    edges = np.array([[mu, mu, 1.0], [mu, -mu, 1.0], [-mu, mu, 1.0], [-mu, -mu, 1.0]])
    push = plant.weight * np.einsum("ei,kiv->vke", edges, contacts.jacobian).reshape(plant.model.nv, -1)
    base = 1.0 / (plant.weight * np.array([1.0] * 3 + [_LEVER] * 3))
    scale = np.concatenate([base, np.sqrt(_SPARE) / plant.bounds.effort])
    a, b = scale[:, None] * push, scale * load
    count = push.shape[1]
    hessian = a.T @ a + _REGULAR * np.eye(count)
    empty = np.zeros((0, count))
    high, low = np.full(count, 1e3), np.zeros(count)
    share, _, code, _ = daqp.solve(hessian, -a.T @ b, empty, high, low, np.zeros(count, dtype=np.int32))
    left: FloatArray = load - push @ share if code > 0 else load
    return left
