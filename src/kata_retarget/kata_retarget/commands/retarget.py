# SPDX-License-Identifier: Apache-2.0
"""Turn recorded human motion into a robot's motion.

CLIPS are motion capture files or folders that hold some. One clip goes to the file that --out names; several
clips, or a --out without .npz, go to a folder, one NAME.npz a clip, on all cores. A clip that cannot be read
or followed costs one line and does not stop the others. Each file holds joint_names, joint_position [rad],
base_position [m], base_orientation_xyzw, stamp [s] and contact (left, right foot).

--adapt checks the motion by inverse dynamics against the motors, the floor and gravity, slows or lowers it where
the robot could not follow, and tells where, why and by how much. --report writes a page with pictures, curves and
figures. --play sends one clip's motion to the robot that runs, through its safety filter.

Examples:
  kata retarget walk.bvh --robot g1 --fps 30 --out walk.npz
  kata retarget clips/ --robot g1 --out runs/motions --adapt
  kata retarget walk.bvh --robot g1 --report walk.html
  kata retarget walk.bvh --robot g1 --play
  kata retarget amass/walk_poses.npz --body-model SMPLX_NEUTRAL.npz --out walk.npz
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kata_model.errors import ConfigError

if TYPE_CHECKING:
    from kata_retarget.jobs import ClipJob, ClipResult

_SEQUELS = {"report": "kata_report", "play": "kata_nodes"}
"""Options whose work is another package's; each registers a module with ``run(results, args) -> int`` under its option's
name in the entry point group ``kata.retarget``."""
_TOLD = 12
"""So many things that adaptation mended are told of a clip."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIPS", help="motion capture files, or folders that hold some")
    parser.add_argument("--out", type=Path, metavar="TRAJ.npz|DIR", help="file of one clip, or folder of many")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page on what came of the clips")
    parser.add_argument("--play", action="store_true", help="send the motion to the running robot (one clip)")
    parser.add_argument("--adapt", action="store_true", help="slow or lower the motion where the robot's dynamics demand it")
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


def run(args: argparse.Namespace) -> int:
    """Retarget the clips; 0 if all went well, 2 if some did not."""
    if not 1.0 <= args.fps <= 1000.0:
        raise ConfigError(f"--fps is {args.fps}", fix="give 1 to 1000 Hz")
    if args.jobs < 1:
        raise ConfigError(f"--jobs is {args.jobs}", fix="give at least 1")
    sequels = [_sequel(name) for name in _SEQUELS if getattr(args, name)]
    if args.out is None and not sequels:
        raise ConfigError("nothing to do with the motion", fix="give --out, --report or --play")
    if args.report is not None and args.report.suffix != ".html":
        raise ConfigError(f"--report is {args.report}", fix="give a name that ends in .html")
    jobs = _jobs(args)
    if args.play and len(jobs) > 1:
        raise ConfigError(f"{len(jobs)} clips, but --play takes one", fix="play them one by one")
    results = _retarget(jobs, args)
    good = [result for result in results if not result.error]
    codes = [sequel(results, args) for sequel in sequels if good]
    return max([2 if len(good) < len(jobs) else 0, *codes])


def _sequel(option: str) -> Callable[[Sequence["ClipResult"], argparse.Namespace], int]:
    found = entry_points(group="kata.retarget", name=option)
    if not found:
        raise ConfigError(f"--{option} is not installed", fix=f"it comes with the package {_SEQUELS[option]}")
    module: Any = next(iter(found)).load()
    run: Callable[[Sequence[ClipResult], argparse.Namespace], int] = module.run
    return run


def _retarget(jobs: "Sequence[ClipJob]", args: argparse.Namespace) -> "list[ClipResult]":
    """Do the jobs and tell of each as it ends; results are in the jobs' order."""
    from tqdm import tqdm

    from kata_retarget.jobs import robot_of, run_jobs

    robot_of(args.robot)  # a robot that cannot be loaded is told once, not by clip
    hide = True if len(jobs) == 1 or args.quiet else None  # None: shown on a terminal only
    progress = tqdm(run_jobs(jobs, args.jobs), total=len(jobs), desc="retargeting", unit="clip", disable=hide)
    results = []
    for result in progress:
        results.append(result)
        if result.error:
            progress.write(f"kata: error: {result.error}", file=sys.stderr)
        elif not args.quiet:
            progress.write("\n".join(_lines(result, len(jobs) == 1)))
    if not args.quiet and len(jobs) > 1:
        print(f"{sum(not result.error for result in results)} of {len(jobs)} clips retargeted")
    return sorted(results, key=lambda result: jobs.index(result.job))


def _lines(result: "ClipResult", single: bool) -> Iterable[str]:
    """Tell of a clip, of a single one at length."""
    frames = len(result.trajectory.stamp) if result.trajectory else 0
    yield f"{result.job.out or result.job.clip}: {frames} frames at {result.job.fps:g} Hz"
    if single:
        yield from (f"  {note}" for note in result.notes)
    if result.adaptation:
        yield f"  {result.adaptation}"
        mends = sorted(result.adaptation.mends, key=lambda mend: -mend.excess.ratio) if single else []
        yield from (f"    {mend}" for mend in mends[:_TOLD])
        if len(mends) > _TOLD:
            yield f"    and {len(mends) - _TOLD} smaller ones"


def _jobs(args: argparse.Namespace) -> "list[ClipJob]":
    from kata_retarget.jobs import ClipJob
    from kata_retarget.mocap import ClipOptions

    clips = [clip for path in args.clips for clip in _expand(path)]
    options = ClipOptions(body_model=args.body_model, fps=args.clip_fps)
    return [
        ClipJob(clip, out, args.robot, args.fps, args.mode, options, args.adapt)
        for clip, out in zip(clips, _outs(clips, args.out), strict=True)
    ]


def _outs(clips: Sequence[Path], out: Path | None) -> list[Path | None]:
    """Return the file that each clip's motion goes to."""
    if out is None:
        return [None] * len(clips)
    if out.suffix == ".npz":
        if len(clips) > 1:
            raise ConfigError(f"{len(clips)} clips, but --out {out} is one file", fix="give a folder")
        return [out]
    if out.is_file():
        raise ConfigError("is a file, not a folder", where=str(out), fix="give a folder or a name that ends in .npz")
    outs: dict[Path, Path] = {}
    for clip in clips:
        file = out / f"{clip.stem}.npz"
        if file in outs:
            raise ConfigError(f"{outs[file]} and {clip} would both become {file}", fix="rename one, or run them one by one")
        outs[file] = clip
    return list(outs)


def _expand(path: Path) -> list[Path]:
    from kata_retarget.mocap import SUFFIXES

    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise ConfigError("no motion clips in it", where=str(path), fix=f"give a folder with {', '.join(SUFFIXES)} files")
    return found
