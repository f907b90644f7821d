# SPDX-License-Identifier: Apache-2.0
"""Speed and quality of retargeting: `python benchmarks/retarget.py [CLIPS…] [--json FILE] [--ablations] [--tradeoff FILE]`.

Streaming and offline, by clip and pooled; frames per second of CPU time in one process, on one thread.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from retarget_trades import Trade, draw_trades, lag

from kata_model import RobotModel, Trajectory, load_robot
from kata_model.errors import KataError
from kata_retarget import BodyRetargeter, RetargetConfig, retarget_clip
from kata_retarget.mocap import MotionClip, load_clip
from kata_retarget.quality import Quality, judge, summary
from kata_sim import SelfCollision

_MOCAP = Path(__file__).resolve().parents[2] / "shared/mocap"
_NOT_FLAT = ("uneven", "climb")
_COLUMNS = {
    "keypoint_error_cm": "keyp cm",
    "keypoint_error_uniform_cm": "(unif)",
    "slide_mean_cm_s": "slide",
    "slide_p95_cm_s": "p95",
    "penetration_max_mm": "pen mm",
    "float_percent": "float %",
    "self_collision_percent": "coll %",
    "jumps": "jumps",
    "limit_violations": "limit",
    "velocity_violations": "veloc",
    "jerk": "jerk",
}
_ABLATIONS: dict[str, dict[str, float]] = {
    "no smoothing": {"smoothing": 0.0, "momentum": 0.0, "jerk": 0.0, "sweeps": 0},
    "no acceleration limit": {"max_acceleration": 1e6},
    "no velocity limit": {"max_velocity": 100.0, "max_step": 3.0, "max_acceleration": 1e6},
    "no joint limits": {},
    "no foot lock": {"lock": 0.0, "flat": 0.0},
    "no floor": {"floor": 0.0, "lock": 0.0, "flat": 0.0, "base_height": 0.0},
    "no self-collision": {"collision": 0.0},
}
_TRADES: dict[str, tuple[str, tuple[float, ...]]] = {
    "streaming": ("smoothing", (0.0, 0.002, 0.005, 0.015, 0.05, 0.15)),
    "offline": ("jerk", (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)),
    "lock": ("lock", (0.0, 0.3, 3.0, 30.0, 300.0)),
}


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, help=f"motion files; default: the flat ones of {_MOCAP}")
    parser.add_argument("--robot", default="g1", help="folder of config/robots")
    parser.add_argument("--fps", type=float, default=30.0, help="frames a second [Hz]")
    parser.add_argument("--repeat", type=int, default=3, help="timed passes over the clips")
    parser.add_argument("--mode", choices=("both", "streaming", "offline"), default="both")
    parser.add_argument("--ablations", action="store_true", help="also with constraints switched off one by one")
    parser.add_argument(
        "--tradeoff", type=Path, help="only what smoothing and foot lock cost: a table, and a picture in this file"
    )
    parser.add_argument("--json", type=Path, help="write the pooled figures here")
    args = parser.parse_args()
    try:
        _run(args)
    except KataError as error:
        print(f"retarget: error: {error}", file=sys.stderr)
        return 2
    return 0


def _run(args: argparse.Namespace) -> None:
    robot = load_robot(args.robot)
    clips = [load_clip(path).resample(args.fps) for path in args.clips or _default_clips()]
    if args.tradeoff:
        draw_trades(args.tradeoff, {name: _trade(robot, clips, name) for name in _TRADES})
        return
    collision = SelfCollision(robot)
    figures: dict[str, float] = {}
    if args.mode != "offline":
        figures |= _timing(robot, clips, args.repeat)
        print("  ".join(f"{name} {value:.3g}" for name, value in figures.items()))
        pooled = _table("streaming", robot, clips, "streaming", RetargetConfig(), collision)
        figures |= {name: value for name, value in pooled.items() if name != "jerk"} | {"jerk_streaming": pooled["jerk"]}
    if args.mode != "streaming":
        pooled = _table("offline", robot, clips, "offline", RetargetConfig(), collision)
        figures |= {f"offline_{name}": value for name, value in pooled.items() if name != "jerk"} | {
            "jerk_offline": pooled["jerk"]
        }
    if args.ablations:
        for title, changes in _ABLATIONS.items():
            for mode in ("streaming", "offline"):
                _table(f"{mode}, {title}", robot, clips, mode, replace(RetargetConfig(), **changes), collision)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


def _default_clips() -> list[Path]:
    paths = [path for path in sorted(_MOCAP.glob("*.bvh")) if not any(word in path.name for word in _NOT_FLAT)]
    if not paths:
        raise KataError("no clips", where=str(_MOCAP), fix="name clips on the command line")
    return paths


def _timing(robot: RobotModel, clips: Sequence[MotionClip], repeat: int) -> dict[str, float]:
    """Return CPU time per frame, streaming, all constraints on; frames are made before the clock starts."""
    retargeter = BodyRetargeter(robot)
    spans: list[float] = []
    total = 0.0
    for clip in clips * repeat:
        frames = [clip.frames(i, round(i * 1e9 / clip.fps), True) for i in range(len(clip))]
        retargeter.reset()
        begin = time.process_time()
        for sample in frames:
            start = time.process_time_ns()
            retargeter.step(sample)
            spans.append((time.process_time_ns() - start) * 1e-6)
        total += time.process_time() - begin
    return {
        "frames_per_cpu_s": len(spans) / total,
        "frame_p50_ms": float(np.percentile(spans, 50)),
        "frame_p99_ms": float(np.percentile(spans, 99)),
        "frame_max_ms": max(spans),
    }


def _table(
    title: str,
    robot: RobotModel,
    clips: Sequence[MotionClip],
    mode: str,
    config: RetargetConfig,
    collision: SelfCollision,
) -> dict[str, float]:
    print(f"\n{title}\n{'clip':<28}{'frames':>7}" + "".join(f"{name:>9}" for name in _COLUMNS.values()))
    parts: list[Quality] = []
    free = _freed(robot, title)
    for clip in clips:
        motion: Trajectory = retarget_clip(free, clip, clip.fps, mode, config)
        parts.append(judge(robot, clip, motion, collision.beyond_rest))
        _line(Path(clip.source).stem, len(clip), summary(parts[-1:]))
        worst = sorted(parts[-1].pairs.items(), key=lambda item: -item[1])[:4]
        if worst:
            print("   collides: " + ", ".join(f"{a}–{b} ×{count}" for (a, b), count in worst))
    pooled = summary(parts)
    _line("all", sum(len(clip) for clip in clips), pooled)
    return pooled


def _freed(robot: RobotModel, title: str) -> RobotModel:
    """Return the robot without the limits that an ablation's title says are off; it is judged by its own."""
    if title.endswith("no velocity limit"):
        return replace(robot, max_velocity=np.full(len(robot.layout), 1e3))
    if title.endswith("no joint limits"):
        return replace(robot, lower=np.full(len(robot.layout), -np.pi), upper=np.full(len(robot.layout), np.pi))
    return robot


def _trade(robot: RobotModel, clips: Sequence[MotionClip], name: str) -> Trade:
    """Print and return what a weight buys and costs, over its values."""
    setting, values = _TRADES[name]
    mode = "offline" if name == "offline" else "streaming"
    default, rows = float(getattr(RetargetConfig(), setting)), []
    print(f"\n{mode}, {setting} (default {default:g})\n{'value':>8}{'keyp cm':>9}{'jerk':>8}{'delay ms':>10}{'slide':>7}")
    for value in values:
        config = replace(RetargetConfig(), **{setting: value})
        motions = [retarget_clip(robot, clip, clip.fps, mode, config) for clip in clips]
        found = summary([judge(robot, clip, motion, None) for clip, motion in zip(clips, motions, strict=True)])
        delay = 1e3 * float(np.mean([lag(robot, clip, motion) for clip, motion in zip(clips, motions, strict=True)]))
        rows.append((value, found["keypoint_error_cm"], found["jerk"], delay, found["slide_mean_cm_s"]))
        print(f"{value:>8g}{rows[-1][1]:>9.2f}{rows[-1][2]:>8.0f}{delay:>10.1f}{rows[-1][4]:>7.2f}")
    return Trade(f"{mode}, {setting}", default, np.array(rows))


def _line(name: str, frames: int, figures: dict[str, float]) -> None:
    print(f"{name[:27]:<28}{frames:>7}" + "".join(f"{figures[key]:>9.2f}" for key in _COLUMNS))


if __name__ == "__main__":
    sys.exit(main())
