# SPDX-License-Identifier: Apache-2.0
"""How an observation changes when the policy's joints do; training uses it to show errors that nobody demonstrated."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.joints import JointState
from kata_core.observation import Observer

__all__ = ["sensitivity"]

_STEP = 0.01
"""Half the width of the central difference [rad]: far above float32's grain, and the third-order error is below 1e-4."""


def sensitivity(
    observer: Observer, state: JointState, objects: Mapping[str, FloatArray], joints: Sequence[int]
) -> dict[str, NDArray[np.float32]]:
    """Return the derivative of every term by joint positions, by central differences through the observer itself.

    Args:
        observer: What the policy sees.
        state: Measured joints.
        objects: Object positions in the base's frame, all that the observer needs, [m].
        joints: Indices of the policy's joints in layout order, k.

    Returns:
        By term, shape (*shape, k), in [unit of the term / rad].
    """
    columns = [_difference(observer, state, objects, joint) for joint in joints]
    return {spec.name: np.stack([column[spec.name] for column in columns], axis=-1) for spec in observer.terms}


def _difference(
    observer: Observer, state: JointState, objects: Mapping[str, FloatArray], joint: int
) -> dict[str, NDArray[np.float32]]:
    step = np.zeros(len(state.position))
    step[joint] = _STEP
    ahead, behind = (
        observer.observe(JointState(state.stamp, state.position + way * step, state.velocity, state.effort), objects)
        for way in (1.0, -1.0)
    )
    if ahead is None or behind is None:
        raise ValueError("an object that the observation needs is missing")
    return {name: (ahead[name] - behind[name]) / np.float32(2.0 * _STEP) for name in ahead}
