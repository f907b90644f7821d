# SPDX-License-Identifier: Apache-2.0
"""Demonstrations for benchmarks/tasks.py: scripted people, retargeting, safety filter and robot in one process."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kata_data.building.build import TASK_TERMS
from kata_data.dataset import Dataset, Manifest, load_dataset, save_dataset
from kata_data.dataset.assemble import Steps, assemble, episodes_of
from kata_data.dataset.frames import link_frames
from kata_data.dataset.loader import WindowLoader, WindowSpec
from kata_learning.augmentation.in_memory_recorder import ActionNoise, Expert, InMemoryRecorder, manifest_of
from kata_learning.augmentation.synthetic import synthesize
from kata_model import RobotModel
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.pictures import shrink
from kata_safety import SafetyConfig
from kata_sim import Simulation, run_rollout
from kata_teleop.scripted import PersonConfig, make_person

__all__ = ["demonstrations"]

RATE = 50.0
_NOISE = ActionNoise(0.03)
_GROUPS = {"reach": ("right_arm",), "lift": ("left_arm", "right_arm"), "push": ("right_arm",)}
_PICTURES = {"reach": (90, 120, 3), "push": (60, 80, 3)}
"""Shape of the pictures that vision policies learn from [px]; how far away a ball is shows in its size alone."""
_PART = 5
"""Demonstrations that are made in one go."""
_HELD_OUT = 10
"""One of so many episodes is for validation."""
_SEED = 100_000
"""Scenes of demonstrations begin here; no evaluation uses them."""


def demonstrations(robot: RobotModel, task: str, kind: str, count: int, folder: Path) -> Dataset:
    """Return demonstrations, made once and kept below a folder.

    Args:
        robot: The robot.
        task: What is shown.
        kind: ``plain``; ``dart``: half of them while what is sent is disturbed; ``synthetic``: ``dart`` and as many replays;
            ``pictures``: ``dart`` with the head camera.
        count: How many are shown.
        folder: Where datasets are kept.
    """
    place = folder / f"{task}-{kind}-{count}"
    if place.is_dir():
        return load_dataset(place)
    if kind == "synthetic":
        return save_dataset(synthesize(demonstrations(robot, task, "dart", count, folder), robot, count).dataset, place)
    parts = [_part(robot, task, kind, number, folder) for number in range(-(-count // _PART))]
    shown = [steps for part in parts for steps in episodes_of(part)][:count]
    pictures = _joined_pictures(parts, folder / "parts" / f"{place.name}-pictures") if kind == "pictures" else None
    return save_dataset(assemble(parts[0].manifest, [_placed(steps, i) for i, steps in enumerate(shown)], pictures), place)


def _joined_pictures(parts: list[Dataset], folder: Path) -> Path:
    """Return a folder with the pictures of all parts, by hard links."""
    for part in parts:
        link_frames(part.folder, folder, part.manifest.episodes)
    return folder


def _part(robot: RobotModel, task: str, kind: str, number: int, folder: Path) -> Dataset:
    """Return a few demonstrations, made once: a run that was cut off does not begin anew."""
    place = folder / "parts" / f"{task}-{kind}-{number:03d}"
    if place.is_dir():
        return load_dataset(place)
    joints = tuple(name for group in _GROUPS[task] for name in robot.description.groups[group])
    about = manifest_of(robot, task, TASK_TERMS[task], joints, RATE)
    scratch = folder / "parts" / f"{place.name}-pictures" if kind == "pictures" else None
    if scratch is not None:
        about = replace(about, cameras={"head": _PICTURES[task]})
    simulation, shown, seed = Simulation(robot, task=task), [], _SEED + 1000 * number
    with tqdm(total=_PART, desc=f"{task}, {kind}, part {number}", unit="episode", disable=None) as bar:
        while len(shown) < _PART:
            steps = _show(simulation, about, seed, _NOISE if kind != "plain" and seed % 2 else None, scratch)
            seed += 1
            if steps is not None:
                shown.append(steps)
                bar.update()
    simulation.close()
    return save_dataset(assemble(about, shown, scratch), place)


def _show(simulation: Simulation, about: Manifest, seed: int, noise: ActionNoise | None, scratch: Path | None) -> Steps | None:
    """Return an episode, or None where the person failed; pictures are written below `scratch`, if that is given."""
    robot, task = simulation.robot, simulation.task

    def look() -> np.ndarray:
        return shrink(np.asarray(simulation.render()), _PICTURES[task.name][0])

    operator = make_person(task.name, PersonConfig(seed=seed))
    recorder = InMemoryRecorder(robot, Expert(robot, operator), about, noise, seed, look if scratch else None)
    rollout = run_rollout(simulation, recorder, seed=seed, rate=SafetyConfig().rate, timeout=task.timeout)
    return recorder.steps(f"{task.name} {seed}", task.text, success=True, folder=scratch) if rollout.success else None


def _placed(steps: Steps, number: int) -> Steps:
    split = "validation" if number % _HELD_OUT == _HELD_OUT - 1 else "train"
    return replace(steps, entry=replace(steps.entry, split=split))


def recorded(dataset: Dataset, policy: OnnxPolicy, count: int = 200) -> list[dict[str, np.ndarray]]:
    """Return observations spread over a dataset as a policy takes them, one at a time."""
    rows, about = np.linspace(0, len(dataset) - 1, count).astype(int), policy.contract
    loader = WindowLoader(dataset, "train", WindowSpec(about.history, 1, tuple(camera.name for camera in about.cameras)))
    seen = []
    for row in rows:
        batch = loader.batch(np.array([row]))
        windows = {**batch.observation, **{f"camera.{name}": values for name, values in batch.pictures.items()}}
        names = [*(term.name for term in about.terms), *(camera.input for camera in about.cameras)]
        seen.append({name: windows[name][0] if about.history > 1 else windows[name][0, 0] for name in names})
    return seen
