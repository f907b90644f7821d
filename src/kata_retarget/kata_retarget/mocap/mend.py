# SPDX-License-Identifier: Apache-2.0
"""Faults of known exporters: noticed by what they look like, mended, and told."""

from dataclasses import replace

import numpy as np

from kata_model.arrays import FloatArray
from kata_retarget.mocap.body_map import BodyMap
from kata_retarget.mocap.rotations import normalise, rotate
from kata_retarget.mocap.skeleton import Motion

__all__ = ["mend_thorax", "rest_frames"]

_LOOK_AT = 5
"""A rest pose stands within the first frames, where exporters put it."""
_LEAP = 8.0
"""No human turns his joints by so many times his own fastest from one frame to the next."""


def rest_frames(motion: Motion, bodies: BodyMap) -> int:
    """Count the first frames that are no motion but a rest pose, put there for calibration.

    Either the motion leaps away from them, or most of their joints are at exactly zero and later ones are not.
    """
    if len(motion.position) < 2 * _LOOK_AT:
        return 0
    joints = sorted(set(bodies.joints.values()))
    dot = np.abs(np.sum(motion.rotation[1:, joints] * motion.rotation[:-1, joints], axis=-1))
    step = 2.0 * np.arccos(np.clip(dot, 0.0, 1.0)).mean(axis=1)
    usual = float(np.percentile(step[_LOOK_AT:], 99.0))
    zero = _zero_share(motion, joints)
    leaps = (step[:_LOOK_AT] > max(_LEAP * usual, np.radians(8.0))) | ((zero[:-1] > 0.5) & (zero[1:] < 0.25))
    return int(np.flatnonzero(leaps)[-1]) + 1 if leaps.any() else 0


def _zero_share(motion: Motion, joints: list[int]) -> FloatArray:
    """Return which share of joints is exactly unturned in each of the first frames."""
    parents = [motion.skeleton.parents[joint] for joint in joints]
    own, carrying = (motion.rotation[: _LOOK_AT + 1, of] for of in (joints, parents))
    return np.asarray(np.mean(np.abs(np.sum(own * carrying, axis=-1)) > 1.0 - 1e-12, axis=1))


def mend_thorax(motion: Motion, bodies: BodyMap) -> tuple[Motion, list[str]]:
    """Put back the upper trunk's bone where neck and collar bones start at its root.

    cgspeed's conversion of the CMU files has lost it. Its length in the original files is that of the
    spine's bone below it (within 1 %), and it goes on straight from hips to chest.
    """
    skeleton, torso = motion.skeleton, bodies.joints["torso"]
    above = [joint for joint in skeleton.children(torso) if not skeleton.names[joint].endswith("/end")]
    spine = [joint for joint in skeleton.ancestors(torso) if bodies.joints["pelvis"] in skeleton.ancestors(joint)[1:]]
    below = float(np.linalg.norm(skeleton.offset[torso]))
    if len(above) < 3 or not spine or below < 0.03 or np.linalg.norm(skeleton.offset[above], axis=1).max() > 1e-6:
        return motion, []
    bone = below * normalise(skeleton.offset[spine].sum(axis=0))
    moved = sorted({i for joint in above for i in skeleton.below(joint)})
    position = motion.position.copy()
    position[:, moved] += rotate(motion.rotation[:, torso], bone)[:, None]
    offset = skeleton.offset.copy()
    offset[above] = bone
    note = f"no thorax bone: head and arms raised by {100.0 * below:.1f} cm along the spine"
    return replace(motion, skeleton=replace(skeleton, offset=offset), position=position), [note]
