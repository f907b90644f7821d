# SPDX-License-Identifier: Apache-2.0
"""Bags → dataset: align the streams of every episode, observe as the robot would, split by episode."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kata_core.errors import DataError
from kata_core.joints import JointState
from kata_core.observation import Observer
from kata_core.params import param
from kata_core.robot import RobotModel
from kata_learning.align import grid, match_past
from kata_learning.bags import read_info
from kata_learning.dataset import Dataset, EpisodeEntry, Manifest, Statistics
from kata_learning.joints import moved_joints, sent_gains
from kata_learning.recording import Recording, read_recording
from kata_learning.sensitivity import sensitivity

__all__ = ["TASK_TERMS", "DatasetConfig", "build_dataset"]

TASK_TERMS: Mapping[str, tuple[str, ...]] = {
    "reach": ("joint_position", "object_from_frame/goal/right_palm", "frame_position/right_palm"),
}
"""What a policy of a task sees, if nothing else is asked for."""


@dataclass(frozen=True)
class DatasetConfig:
    """How bags become a dataset."""

    rate: float = param(50.0, unit="Hz", low=1.0, high=1000.0, doc="Steps a second; the policy will run at this rate.")
    tolerance: float = param(0.05, unit="s", low=0.0, high=1.0, doc="Oldest sample that still counts for a step.")
    validation: float = param(0.15, low=0.0, high=0.9, doc="Share of the episodes that is kept for validation.")
    seed: int = param(0, low=0, doc="Seed of the split by episode.")
    failures: bool = param(False, doc="Take episodes that were saved as failures, too.")


_Terms = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Steps:
    observation: dict[str, NDArray[np.float32]]
    sensitivity: dict[str, NDArray[np.float32]]
    action: NDArray[np.float32]
    stamp: NDArray[np.int64]
    tick: NDArray[np.int32]
    dropped: Mapping[str, int]


def build_dataset(
    bags: Iterable[Path],
    robot: RobotModel,
    config: DatasetConfig,
    *,
    joints: Sequence[str] = (),
    terms: Sequence[str] = (),
) -> Dataset:
    """Build a dataset from bags.

    Args:
        bags: Bag folders; wrap them for a progress bar.
        robot: The robot that was recorded.
        config: How to align and split.
        joints: Joints that the policy moves; empty for those that moved in the data.
        terms: Observation terms; empty for those of the task.

    Raises:
        DataError: A bag is damaged or lacks a stream, or too little is left to learn from.
        ContractError: A term, joint or frame is unknown.
    """
    recordings = [read_recording(bag, robot.layout) for bag in bags if config.failures or read_info(bag).success]
    if not recordings:
        raise DataError("no episode was saved as a success", fix="record some, or give --failures to take the others")
    task = _task(recordings)
    names = tuple(joints) or moved_joints([r.command for r in recordings], robot.layout)
    observer = Observer(robot, tuple(terms) or _terms_of(task), names)
    kept = [(r, steps) for r in recordings if len((steps := _steps(r, robot, observer, names, config)).action)]
    if not kept:
        raise DataError(f"no step has all streams within {config.tolerance} s", fix="raise --tolerance, or look into the bags")
    entries = _entries(kept, config)
    joined = _join(kept, observer)
    training = np.isin(joined.episode, [i for i, entry in enumerate(entries) if entry.split == "train"])
    quantities = {**joined.observation, "action": joined.action}
    stiffness, damping = sent_gains([r.command for r, _ in kept], robot.layout, names)
    manifest = Manifest(
        robot=robot.description.name,
        task=task,
        rate=config.rate,
        tolerance=config.tolerance,
        joint_names=names,
        terms={spec.name: spec.shape for spec in observer.terms},
        stiffness=stiffness,
        damping=damping,
        statistics={name: _statistics(values[training]) for name, values in quantities.items()},
        episodes=entries,
    )
    fields = {name: getattr(joined, name) for name in _Joined.__dataclass_fields__}
    return Dataset(manifest, **fields)


def _task(recordings: Sequence[Recording]) -> str:
    tasks = sorted({r.task or r.info.task for r in recordings})
    if len(tasks) > 1:
        raise DataError(f"bags of several tasks: {', '.join(tasks)}", fix="build one dataset a task")
    return tasks[0]


def _terms_of(task: str) -> tuple[str, ...]:
    if task not in TASK_TERMS:
        raise DataError(f"no default observation for task {task!r}", fix="name the terms with --terms")
    return TASK_TERMS[task]


def _steps(recording: Recording, robot: RobotModel, observer: Observer, names: Sequence[str], config: DatasetConfig) -> _Steps:
    """Align one episode: at each instant the newest past sample of every stream, or no step."""
    state, command, objects = recording.state, recording.command, recording.objects
    at = grid(int(state.stamp.min()), int(state.stamp.max()), config.rate)
    tolerance = round(config.tolerance * 1e9)
    match = {"joint_states": match_past(state.stamp, at, tolerance), "command": match_past(command.stamp, at, tolerance)}
    if observer.objects:
        match["task/state"] = match_past(objects.stamp, at, tolerance)
    whole = np.all([m >= 0 for m in match.values()], axis=0)
    observed: list[_Terms] = []
    slopes: list[_Terms] = []
    ticks = []
    for t in np.flatnonzero(whole).tolist():
        i = match["joint_states"][t]
        measured = JointState(int(state.stamp[i]), state.position[i], state.velocity[i], state.effort[i])
        seen = {name: objects.position[name][match["task/state"][t]] for name in observer.objects if name in objects.position}
        if (observation := observer.observe(measured, seen)) is not None and _finite(observation, command.position, match, t):
            observed.append(observation)
            slopes.append(sensitivity(observer, measured, seen, robot.layout.indices(names)))
            ticks.append(t)
    tick = np.array(ticks, dtype=np.int32)
    dropped = {name: int((m < 0).sum()) for name, m in match.items()}
    dropped["incomplete"] = int(whole.sum()) - len(tick)
    return _Steps(
        observation={s.name: np.array([o[s.name] for o in observed], np.float32).reshape(-1, *s.shape) for s in observer.terms},
        sensitivity={
            s.name: np.array([o[s.name] for o in slopes], np.float32).reshape(-1, *s.shape, len(names)) for s in observer.terms
        },
        action=command.position[match["command"][tick]][:, robot.layout.indices(names)].astype(np.float32),
        stamp=at[tick],
        tick=tick,
        dropped={name: count for name, count in dropped.items() if count},
    )


def _finite(
    observation: Mapping[str, NDArray[np.float32]], commands: NDArray[np.float64], match: Mapping[str, NDArray[np.intp]], t: int
) -> bool:
    finite = all(np.isfinite(values).all() for values in observation.values())
    return finite and bool(np.isfinite(commands[match["command"][t]]).all())


def _entries(kept: Sequence[tuple[Recording, _Steps]], config: DatasetConfig) -> tuple[EpisodeEntry, ...]:
    """Split by episode; at least one is for validation where there are two or more and a share is asked for."""
    count = min(max(round(config.validation * len(kept)), int(config.validation > 0)), len(kept) - 1)
    held_out = set(np.random.default_rng(config.seed).permutation(len(kept))[:count].tolist())
    return tuple(
        EpisodeEntry(
            bag=str(r.info.path),
            steps=len(steps.action),
            dropped=steps.dropped,
            split="validation" if i in held_out else "train",
            success=r.info.success,
        )
        for i, (r, steps) in enumerate(kept)
    )


@dataclass(frozen=True, slots=True)
class _Joined:
    observation: dict[str, NDArray[np.float32]]
    sensitivity: dict[str, NDArray[np.float32]]
    action: NDArray[np.float32]
    stamp: NDArray[np.int64]
    episode: NDArray[np.int32]
    tick: NDArray[np.int32]


def _join(kept: Sequence[tuple[Recording, _Steps]], observer: Observer) -> _Joined:
    every = [steps for _, steps in kept]
    return _Joined(
        observation={s.name: np.concatenate([e.observation[s.name] for e in every]) for s in observer.terms},
        sensitivity={s.name: np.concatenate([e.sensitivity[s.name] for e in every]) for s in observer.terms},
        action=np.concatenate([e.action for e in every]),
        stamp=np.concatenate([e.stamp for e in every]),
        episode=np.repeat(np.arange(len(every), dtype=np.int32), [len(e.action) for e in every]),
        tick=np.concatenate([e.tick for e in every]),
    )


def _statistics(values: NDArray[np.float32]) -> Statistics:
    flat = values.reshape(len(values), -1).astype(float)
    parts = (flat.mean(0), flat.std(0), flat.min(0), flat.max(0))
    return Statistics(*(tuple(map(float, part)) for part in parts))
