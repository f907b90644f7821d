# SPDX-License-Identifier: Apache-2.0
"""Bags → dataset: align the streams of every episode, observe as the robot would, split by episode."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kata_data.bags.bag_info import BagInfo, read_info
from kata_data.bags.bag_pool import Pool, open_pool
from kata_data.building.aligned import Aligned, Request, read_aligned
from kata_data.building.build_checks import check_cameras, check_known, check_rates, check_robots, one_task, refuse_damaged
from kata_data.building.build_config import DatasetConfig
from kata_data.building.fingerprint import fingerprint
from kata_data.building.joints import moved_joints, sent_gains
from kata_data.building.steps import observe_steps
from kata_data.building.wrenches import sensors_in
from kata_data.dataset import Dataset, Manifest
from kata_data.dataset.assemble import Steps, assemble, episodes_of, split_episodes
from kata_data.dataset.frames import link_frames
from kata_model.errors import DataError, KataError
from kata_model.robot import RobotModel
from kata_policy.observation import Observer

__all__ = ["TASK_TERMS", "BuildOptions", "DatasetConfig", "build_dataset"]

TASK_TERMS: Mapping[str, tuple[str, ...]] = {
    "reach": ("joint_position", "object_from_frame/goal/right_palm", "frame_position/right_palm"),
    "lift": (
        *("joint_position", "object_from_frame/box/left_palm", "object_from_frame/box/right_palm"),
        *("object_position/box", "object_rotation/box"),
    ),
    "push": (
        *("joint_position", "frame_position/right_palm", "object_from_frame/puck/right_palm"),
        *("object_from_frame/goal/right_palm", "object_position/puck"),
    ),
}
"""What a policy of a task sees, if nothing else is asked for."""

T = TypeVar("T")


@dataclass(frozen=True)
class BuildOptions:
    """What a dataset is made of, and how the work is done.

    Attributes:
        joints: Joints that the policy moves; empty for those that moved in the data.
        terms: Observation terms; empty for those of the task.
        cameras: Cameras whose pictures are stored; None for all, empty for none.
        folder: The dataset's folder, where pictures are written; needed with cameras.
        jobs: Bags at a time.
        skip_damaged: Leave unreadable bags out and note them, instead of refusing.
        known: Dataset that is added to; its episodes stay, and are not read again unless their bags changed.
        on_bag: Called with each bag that was read and the number of bags to read, e.g. to move a progress bar.
    """

    joints: Sequence[str] = ()
    terms: Sequence[str] = ()
    cameras: Sequence[str] | None = ()
    folder: Path | None = None
    jobs: int = 1
    skip_damaged: bool = False
    known: Dataset | None = None
    on_bag: Callable[[Path, int], None] | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What is done with each bag: read anew, or taken over from the known dataset."""

    new: list[BagInfo]
    kept: list[Steps]
    damaged: dict[Path, str]


def build_dataset(
    bags: Iterable[Path], robot: RobotModel, config: DatasetConfig, options: BuildOptions = BuildOptions()
) -> Dataset:
    """Build a dataset from bags; its hash is made when it is saved.

    Args:
        bags: Bag folders.
        robot: The robot that was recorded.
        config: How to align and split.
        options: What of.

    Raises:
        DataError: A bag is damaged, lacks a stream or does not fit the others, or too little is left to learn from.
        ContractError: A term, joint or frame is unknown.
        OSError: The disk refuses pictures.
    """
    if options.known is not None:
        check_known(options.known.manifest, robot, config, options.joints, options.terms)
    found = _sort(bags, robot, config, options)
    with open_pool(robot, options.jobs, len(found.new)) as pool:
        aligned = _read(pool, found, config, options)
        refuse_damaged(found.damaged, skip=options.skip_damaged)
        new, about = _observe(pool, robot, config, options, aligned, found)
    episodes = sorted([*found.kept, *new], key=lambda steps: steps.entry.bag)
    splits = split_episodes([steps.entry for steps in episodes], config.validation, config.seed, config.split_by)
    placed = [
        dataclasses.replace(steps, entry=dataclasses.replace(steps.entry, split=split))
        for steps, split in zip(episodes, splits, strict=True)
    ]
    if options.known is not None and options.known.folder is not None and options.folder is not None:
        link_frames(options.known.folder, options.folder, [steps.entry for steps in found.kept])
    return assemble(about, placed, options.folder)


def _sort(bags: Iterable[Path], robot: RobotModel, config: DatasetConfig, options: BuildOptions) -> _Found:
    before = {steps.entry.bag: steps for steps in episodes_of(options.known)} if options.known else {}
    listed = list(bags)
    given = set(map(str, listed))
    found = _Found([], [steps for bag, steps in before.items() if bag not in given], {})
    for bag in listed:
        try:
            info = read_info(bag)
        except DataError as error:
            found.damaged[bag] = str(error)
            continue
        if not (config.failures or info.success):
            continue
        steps = before.get(str(bag))
        if steps is not None and steps.entry.fingerprint == fingerprint(bag):
            found.kept.append(steps)
        else:
            found.new.append(info)
    check_robots(found.new, robot)
    if not (found.new or found.kept or found.damaged):
        raise DataError("no episode was saved as a success", fix="record some, or give --failures to take the others")
    return found


def _read(pool: Pool, found: _Found, config: DatasetConfig, options: BuildOptions) -> list[Aligned]:
    cameras = tuple(options.known.manifest.cameras) if options.known else options.cameras
    sensors = sensors_in(tuple(options.known.manifest.terms) if options.known else options.terms)
    request = Request(config, None if cameras is None else tuple(cameras), options.folder if cameras != () else None, sensors)
    aligned: dict[int, Aligned] = {}
    for i, outcome in pool.run(_read_one, [(info.path, request) for info in found.new]):
        if isinstance(outcome, KataError):
            found.damaged[found.new[i].path] = str(outcome)
        else:
            aligned[i] = outcome
        if options.on_bag is not None:
            options.on_bag(found.new[i].path, len(found.new))
    return [aligned[i] for i in sorted(aligned)]


def _read_one(robot: RobotModel, path: Path, request: Request) -> Aligned:
    return read_aligned(path, robot.layout, request)


def _observe(
    pool: Pool, robot: RobotModel, config: DatasetConfig, options: BuildOptions, aligned: Sequence[Aligned], found: _Found
) -> tuple[list[Steps], Manifest]:
    about = _about(robot, config, options, aligned, found)
    tasks = [(one, tuple(about.terms), about.joint_names, fingerprint(one.info.path)) for one in aligned]
    steps: dict[int, Steps] = {}
    for i, outcome in pool.run(_observe_one, tasks):
        if isinstance(outcome, KataError):
            raise outcome
        if len(outcome.action):
            steps[i] = outcome
    if not (steps or found.kept):
        what = f"no step has all streams within {config.tolerance} s (pictures: {config.image_tolerance} s)"
        raise DataError(what, fix="raise --tolerance, or look into the bags")
    used = [aligned[i] for i in steps]
    if used and options.known is None:
        stiffness, damping = sent_gains([(one.stiffness, one.damping) for one in used], robot.layout, about.joint_names)
        cameras = {name: track.shape for name, track in used[0].frames.items()}
        about = dataclasses.replace(about, stiffness=stiffness, damping=damping, cameras=cameras)
    check_cameras(used, about.cameras)
    return [steps[i] for i in sorted(steps)], about


def _observe_one(robot: RobotModel, aligned: Aligned, terms: Sequence[str], joints: Sequence[str], mark: str) -> Steps:
    return observe_steps(aligned, robot, Observer(robot, terms, joints), joints, mark)


def _about(
    robot: RobotModel, config: DatasetConfig, options: BuildOptions, aligned: Sequence[Aligned], found: _Found
) -> Manifest:
    """Return what holds of all episodes; gains and cameras are found when it is known which of them count."""
    skipped = {str(bag): reason for bag, reason in found.damaged.items()}
    check_rates(aligned, config.rate)
    if options.known is not None:
        one_task(aligned, options.known.manifest.task)
        return dataclasses.replace(options.known.manifest, skipped=skipped)
    if not aligned:
        raise DataError("no bag is left", fix="record some episodes")
    task = one_task(aligned)
    joints = tuple(options.joints) or moved_joints([one.span for one in aligned], robot.layout)
    observer = Observer(robot, tuple(options.terms) or _terms_of(task), joints)
    return Manifest(
        robot=robot.description.name,
        task=task,
        rate=config.rate,
        tolerance=config.tolerance,
        joint_names=joints,
        terms={spec.name: spec.shape for spec in observer.terms},
        stiffness=(),
        damping=(),
        statistics={},
        episodes=(),
        skipped=skipped,
    )


def _terms_of(task: str) -> tuple[str, ...]:
    if task not in TASK_TERMS:
        raise DataError(f"no default observation for task {task!r}", fix="name the terms with --terms")
    return TASK_TERMS[task]
