# SPDX-License-Identifier: Apache-2.0
"""How the floor carries a robot: forces at the soles' corners within friction pyramids, by a small least squares."""

import daqp
import numpy as np

from kata_model.arrays import FloatArray
from kata_retarget.adaptation.plant import Contacts, Plant

__all__ = ["carry"]

_LEVER = 0.1
"""A moment of so much weight times metres counts as much as a force of the weight [m]."""
_SPARE = 1e-4
"""Cost of a joint at its effort limit, against a missing force of the whole weight."""
_REGULAR = 1e-7


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
