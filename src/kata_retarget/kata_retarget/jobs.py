# SPDX-License-Identifier: Apache-2.0
"""Clips that are retargeted one by one or on all cores, each with what came of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kata_model.errors import KataError
from kata_model.process_pool import process_pool
from kata_model.robot import RobotModel, load_robot
from kata_model.robot.retarget_table import load_table
from kata_model.trajectory import Trajectory
from kata_retarget import retarget_clip
from kata_retarget.adaptation import Adaptation, adapt
from kata_retarget.mocap import ClipOptions, load_clip

__all__ = ["ClipJob", "ClipResult", "robot_of", "run_jobs"]


@dataclass(frozen=True, slots=True)
class ClipJob:
    """What to do with a clip.

    Attributes:
        clip: Its file.
        out: File to write; None for none.
        robot: Name or path of the robot's folder of data.
        fps: Frames a second of the result [Hz].
        mode: ``offline`` or ``streaming``.
        options: What the clip's file does not tell.
        adapt: Whether the result is adapted to the robot's dynamics.
    """

    clip: Path
    out: Path | None
    robot: str
    fps: float
    mode: str
    options: ClipOptions
    adapt: bool


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What came of a clip.

    Attributes:
        job: What was asked.
        trajectory: The robot's motion, adapted if that was asked; None after an error.
        notes: What was found out about the clip.
        adaptation: What adapting did; None if it was not asked.
        error: Why there is no motion; '' if there is one.
    """

    job: ClipJob
    trajectory: Trajectory | None = None
    notes: tuple[str, ...] = ()
    adaptation: Adaptation | None = None
    error: str = ""


def run_jobs(jobs: Sequence[ClipJob], workers: int) -> Iterator[ClipResult]:
    """Do the jobs, on several processes where that pays; results come as they are ready.

    Raises:
        DataError: A process was killed.
    """
    if min(workers, len(jobs)) == 1:
        yield from map(_do, jobs)
        return
    from concurrent.futures import as_completed

    # the first clip alone: where kernels must be compiled, that is done once, and the others find them in the cache
    yield _do(jobs[0])
    with process_pool(min(workers, len(jobs) - 1)) as pool:
        pending = [pool.submit(_do, job) for job in jobs[1:]]
        for future in as_completed(pending):
            yield future.result()


@cache
def robot_of(name: str) -> RobotModel:
    """Return a robot, which is loaded once in a process."""
    return load_robot(name)


def _do(job: ClipJob) -> ClipResult:
    """Retarget one clip and write its file whole or not at all."""
    try:
        robot = robot_of(job.robot)
        clip = load_clip(job.clip, job.options)
        trajectory = retarget_clip(robot, clip, job.fps, job.mode)
        adaptation = adapt(robot, trajectory, load_table(robot).soles) if job.adapt else None
        if adaptation is not None:
            trajectory = adaptation.trajectory
        if job.out is not None:
            trajectory.save(job.out)
    except KataError as error:
        return ClipResult(job, error=str(error))
    return ClipResult(job, trajectory, clip.notes, adaptation)
