# SPDX-License-Identifier: Apache-2.0
"""Turn recorded human motion into a robot's motion.

CLIPS are motion capture files or folders that hold some. One clip goes to the file that --out names; several
clips, or a --out without .npz, go to a folder, one NAME.npz a clip, on all cores. A clip that cannot be read
or followed costs one line and does not stop the others. Each file holds joint_names, joint_position [rad],
base_position [m], base_orientation_xyzw, stamp [s] and contact (left, right foot).

Examples:
  kata retarget walk.bvh --robot g1 --fps 30 --out walk.npz
  kata retarget clips/ --robot g1 --out runs/motions
  kata retarget amass/walk_poses.npz --body-model SMPLX_NEUTRAL.npz --out walk.npz
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kata_core.errors import ConfigError, KataError

if TYPE_CHECKING:
    from kata_core.mocap import ClipOptions
    from kata_core.robot import RobotModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIPS", help="motion capture files, or folders that hold some")
    parser.add_argument("--out", type=Path, required=True, metavar="TRAJ.npz|DIR", help="file of one clip, or folder of many")
    parser.add_argument("--robot", default="g1", help="name of a folder in config/robots, or its path (default: g1)")
    parser.add_argument("--fps", type=float, default=30.0, metavar="HZ", help="frames a second of the result (default: 30)")
    parser.add_argument(
        "--mode",
        choices=("offline", "streaming"),
        default="offline",
        help="offline sees the whole clip and smooths it; streaming does what the live robot would (default: offline)",
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="clips at a time (default: all cores)")
    parser.add_argument("--body-model", type=Path, metavar="FILE", help="SMPL, SMPL-H or SMPL-X model, needed for AMASS clips")
    parser.add_argument("--clip-fps", type=float, metavar="HZ", help="rate of clips whose files do not tell it")
    parser.add_argument("--quiet", action="store_true", help="print errors only")


class _Job(NamedTuple):
    clip: Path
    out: Path
    robot: str
    fps: float
    mode: str
    options: "ClipOptions"


class _Done(NamedTuple):
    job: _Job
    frames: int
    notes: tuple[str, ...]
    error: str


def run(args: argparse.Namespace) -> int:
    """Retarget the clips; 0 if all went well, 2 if some did not."""
    from tqdm import tqdm

    if not 1.0 <= args.fps <= 1000.0:
        raise ConfigError(f"--fps is {args.fps}", fix="give 1 to 1000 Hz")
    if args.jobs < 1:
        raise ConfigError(f"--jobs is {args.jobs}", fix="give at least 1")
    jobs = _jobs(args)
    _robot(args.robot)  # a robot that cannot be loaded is told once, not by clip
    single = len(jobs) == 1
    failed = 0
    hide = True if single or args.quiet else None  # None: shown on a terminal only
    progress = tqdm(_results(jobs, args.jobs), total=len(jobs), desc="retargeting", unit="clip", disable=hide)
    for done in progress:
        failed += bool(done.error)
        if done.error:
            progress.write(f"kata: error: {done.error}", file=sys.stderr)
        elif not args.quiet:
            told = "".join(f"\n  {note}" for note in done.notes) if single else ""
            progress.write(f"{done.job.out}: {done.frames} frames at {args.fps:g} Hz{told}")
    if not args.quiet and not single:
        print(f"{len(jobs) - failed} of {len(jobs)} clips retargeted")
    return 2 if failed else 0


def _jobs(args: argparse.Namespace) -> list[_Job]:
    from kata_core.mocap import ClipOptions

    clips = [clip for path in args.clips for clip in _expand(path)]
    options = ClipOptions(body_model=args.body_model, fps=args.clip_fps)
    if args.out.suffix == ".npz":
        if len(clips) > 1:
            raise ConfigError(f"{len(clips)} clips, but --out {args.out} is one file", fix="give a folder")
        return [_Job(clips[0], args.out, args.robot, args.fps, args.mode, options)]
    if args.out.is_file():
        raise ConfigError("is a file, not a folder", where=str(args.out), fix="give a folder or a name that ends in .npz")
    outs: dict[Path, Path] = {}
    for clip in clips:
        out = args.out / f"{clip.stem}.npz"
        if out in outs:
            raise ConfigError(f"{outs[out]} and {clip} would both become {out}", fix="rename one, or run them one by one")
        outs[out] = clip
    return [_Job(clip, out, args.robot, args.fps, args.mode, options) for out, clip in outs.items()]


def _expand(path: Path) -> list[Path]:
    from kata_core.mocap import SUFFIXES

    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise ConfigError("no motion clips in it", where=str(path), fix=f"give a folder with {', '.join(SUFFIXES)} files")
    return found


def _results(jobs: Sequence[_Job], workers: int) -> Iterator[_Done]:
    """Do the jobs, on several processes where that pays; results come as they are ready."""
    if min(workers, len(jobs)) == 1:
        yield from map(_do, jobs)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    # the first clip alone: where kernels must be compiled, that is done once, and the others find them in the cache
    yield _do(jobs[0])
    # one thread a process: they share the cores already; fresh processes, as forking a threaded one may hang
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(min(workers, len(jobs) - 1), multiprocessing.get_context("spawn")) as pool:
        pending = [pool.submit(_do, job) for job in jobs[1:]]
        try:
            for future in as_completed(pending):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


@cache
def _robot(name: str) -> "RobotModel":
    from kata_core.robot import load_robot

    return load_robot(name)


def _do(job: _Job) -> _Done:
    """Retarget one clip and write its file whole or not at all."""
    from kata_core.mocap import load_clip
    from kata_core.retarget import retarget_clip

    try:
        clip = load_clip(job.clip, job.options)
        trajectory = retarget_clip(_robot(job.robot), clip, job.fps, job.mode)
        trajectory.save(job.out)
    except KataError as error:
        return _Done(job, 0, (), str(error))
    return _Done(job, len(trajectory.stamp), clip.notes, "")
