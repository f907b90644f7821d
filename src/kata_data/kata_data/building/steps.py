# SPDX-License-Identifier: Apache-2.0
"""An aligned episode → what a policy saw and did: observation, its derivatives, action."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.building.aligned import Aligned
from kata_data.dataset import EpisodeEntry
from kata_data.dataset.assemble import Steps
from kata_model.joints import JointState
from kata_model.robot import RobotModel
from kata_policy.observation import Observer

__all__ = ["observe_steps"]

_Terms = Mapping[str, NDArray[np.float32]]


def observe_steps(aligned: Aligned, robot: RobotModel, observer: Observer, joints: Sequence[str], fingerprint: str = "") -> Steps:
    """Return the steps at which every needed stream has a sample, and all that is observed is finite.

    Args:
        aligned: The episode.
        robot: The robot that was recorded.
        observer: What the policy sees.
        joints: What it moves.
        fingerprint: Of the bag's files.
    """
    index = robot.layout.indices(joints)
    needed = {name: gone for name, gone in aligned.missing.items() if name != "task/state" or observer.objects}
    whole = ~np.any(list(needed.values()), axis=0)
    observed: list[_Terms] = []
    slopes: list[_Terms] = []
    ticks: list[int] = []
    for t in np.flatnonzero(whole).tolist():
        measured = JointState(int(aligned.state_stamp[t]), aligned.position[t], aligned.velocity[t], aligned.effort[t])
        seen = {name: aligned.objects[name][t] for name in observer.objects if name in aligned.objects}
        felt = {name: aligned.wrenches[name][t] for name in observer.wrenches}
        observation = observer.observe(measured, seen, felt)
        if observation is not None and _finite(observation) and np.isfinite(aligned.command[t]).all():
            observed.append(observation)
            slopes.append(observer.jacobian(measured))
            ticks.append(t)
    tick = np.array(ticks, dtype=np.int32)
    dropped = {name.removeprefix("camera."): int(gone.sum()) for name, gone in needed.items()}
    dropped["incomplete"] = int(whole.sum()) - len(tick)
    return Steps(
        entry=_entry(aligned, len(tick), {name: count for name, count in dropped.items() if count}, fingerprint),
        observation={s.name: _stack(observed, s.name, s.shape) for s in observer.terms},
        sensitivity={s.name: _stack(slopes, s.name, (*s.shape, len(joints))) for s in observer.terms},
        action=aligned.command[tick][:, index].astype(np.float32),
        stamp=aligned.at[tick],
        state_stamp=aligned.state_stamp[tick],
        tick=tick,
        frame={camera: track.index[tick] for camera, track in aligned.frames.items()},
        frame_stamp={camera: track.stamp[tick] for camera, track in aligned.frames.items()},
        intervention=aligned.intervention[tick],
    )


def _entry(aligned: Aligned, steps: int, dropped: Mapping[str, int], fingerprint: str) -> EpisodeEntry:
    return EpisodeEntry(
        bag=str(aligned.info.path),
        steps=steps,
        dropped=dropped,
        split="train",
        success=aligned.info.success,
        task=aligned.info.task or aligned.task,
        labels=dict(aligned.info.custom),
        frames={camera: track.file for camera, track in aligned.frames.items()},
        fingerprint=fingerprint,
    )


def _finite(observation: _Terms) -> bool:
    return all(np.isfinite(values).all() for values in observation.values())


def _stack(rows: Sequence[_Terms], name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.array([row[name] for row in rows], dtype=np.float32).reshape(-1, *shape)
