# SPDX-License-Identifier: Apache-2.0
"""Which joints a policy moves, and with which gains they were driven."""

from collections.abc import Sequence

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import DataError
from kata_model.joints import JointLayout
from kata_model.robot import RobotModel

__all__ = ["MOVED", "expand_joints", "moved_joints", "sent_gains"]

MOVED = 0.02
"""A joint moved if its command ranges over more than this in at least half of the episodes [rad]."""


def moved_joints(spans: Sequence[FloatArray], layout: JointLayout) -> tuple[str, ...]:
    """Return the joints whose command moved, in layout order.

    Args:
        spans: By how much each joint's command ranges over an episode, shape (n,), [rad], for each.
        layout: Joint order.

    Raises:
        DataError: None did.
    """
    span = np.median(spans, axis=0)
    names = tuple(name for name, moved in zip(layout.names, span, strict=True) if moved > MOVED)
    if not names:
        raise DataError(f"no joint moved by more than {MOVED} rad", fix="record a motion, or name joints with --joints")
    return names


def expand_joints(given: Sequence[str], robot: RobotModel) -> tuple[str, ...]:
    """Return joints for names of joints or groups, in layout order without repetition.

    Raises:
        DataError: A name is neither.
    """
    chosen: set[str] = set()
    for name in given:
        if name not in robot.description.groups and name not in robot.layout.names:
            groups = ", ".join(robot.description.groups)
            raise DataError(f"no joint or group {name!r}", where=robot.description.name, fix=f"groups: {groups}")
        chosen.update(robot.description.groups.get(name, (name,)))
    return tuple(name for name in robot.layout.names if name in chosen)


def sent_gains(
    gains: Sequence[tuple[FloatArray, FloatArray]], layout: JointLayout, names: Sequence[str]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return stiffness and damping that were sent most of the time (median), by joint.

    Args:
        gains: Stiffness and damping of each episode, shape (T, n) each, layout order.
        layout: Joint order.
        names: Joints that are wanted.
    """
    index = layout.indices(names)
    stiffness, damping = (np.median(np.concatenate([pair[i][:, index] for pair in gains]), axis=0) for i in (0, 1))
    return tuple(map(float, stiffness)), tuple(map(float, damping))
