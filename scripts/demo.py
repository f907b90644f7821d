# SPDX-License-Identifier: Apache-2.0
"""Show the whole loop: `make demo` runs this.

Without a clip: record reach episodes through the real ROS graph, learn a policy from the bags, and let it
act through the same safety filter. With a clip: retarget real motion capture and let the robot follow it.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """One command of the demo.

    Attributes:
        title: What a reader of the terminal should know.
        command: What is run, as a user would type it.
    """

    title: str
    command: list[str]


def main() -> int:
    """Run the steps one after another; the first that fails ends the demo with its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="BVH file: stream it to the robot instead of teaching it to reach")
    parser.add_argument("--episodes", type=int, default=40, help="demonstrations to record (default: 40)")
    parser.add_argument("--rollouts", type=int, default=20, help="attempts of the learned policy (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="seed of goals, operator and training (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder to write (default: runs/demo)")
    arguments = parser.parse_args()
    if arguments.clip is not None and not arguments.clip.is_file():
        print(f"demo: error: {arguments.clip}: no such file (give the path of a BVH file)", file=sys.stderr)
        return 2
    out: Path = arguments.out / "clip" if arguments.clip else arguments.out
    clear(out, arguments.clip is not None)
    # A domain of its own: a second demo on this machine must not hear the first one's robot.
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))
    steps = clip_steps(arguments.clip, out) if arguments.clip else reach_steps(arguments, out)
    begin = time.monotonic()
    for number, step in enumerate(steps, 1):
        print(f"\n=== {number}/{len(steps)} {step.title}\n    {' '.join(step.command)}", flush=True)
        start = time.monotonic()
        code = subprocess.run(step.command, check=False).returncode
        if code:
            print(f"demo: step {number} ({step.title}) failed with exit code {code}", file=sys.stderr)
            return code
        print(f"    {time.monotonic() - start:.0f} s", flush=True)
    print(f"\n{summary(out)}\nReport: {out / 'report.html'}\nTime: {(time.monotonic() - begin) / 60:.1f} min")
    return 0


def clear(out: Path, clip: bool) -> None:
    """Remove what an earlier demo left under the names that this one writes."""
    mine = (out,) if clip else tuple(out / name for name in ("demonstrations", "dataset", "train", "rollouts"))
    for folder in mine:
        if folder.is_dir():
            shutil.rmtree(folder)
    for file in ("policy.onnx", "report.html", "report.json"):
        (out / file).unlink(missing_ok=True)


def reach_steps(arguments: argparse.Namespace, out: Path) -> list[Step]:
    """Return the way from demonstrations to a policy that acts."""
    episodes, rollouts, seed = arguments.episodes, arguments.rollouts, arguments.seed
    demonstrations, dataset, train, policy = out / "demonstrations", out / "dataset", out / "train", out / "policy.onnx"
    return [
        Step(
            f"A scripted operator shows {episodes} reaches through the ROS graph",
            ["kata", "launch", "record", f"episodes:={episodes}", f"seed:={seed}", f"out:={demonstrations}"],
        ),
        Step(
            "Bags become a dataset",
            ["kata", "dataset", "build", str(demonstrations), "--out", str(dataset), "--image-height", "60"],
        ),
        Step("Learn by behavioural cloning", ["kata", "train", "--data", str(dataset), "--out", str(train), "--seed", str(seed)]),
        Step("Export to ONNX, checked against torch", ["kata", "export", str(train), "--out", str(policy)]),
        Step(
            f"The policy acts through the same safety filter, {rollouts} times",
            [
                *("kata", "launch", "deploy", f"policy:={policy}", f"episodes:={rollouts}"),
                *(f"seed:={seed + 10_000}", f"out:={out / 'rollouts'}"),
            ],
        ),
        Step(
            "Write the report",
            ["kata", "report", str(out), "--out", str(out / "report.html"), "--json", str(out / "report.json")],
        ),
    ]


def clip_steps(clip: Path, out: Path) -> list[Step]:
    """Return the way from a motion clip to a report on how the robot followed it."""
    session = [f"clip:={clip}", "episodes:=1", "time_limit:=120", f"text:=follow {clip.stem}", f"out:={out / 'bags'}"]
    figures = ["--out", str(out / "report.html"), "--json", str(out / "report.json")]
    return [
        Step(f"The simulated robot follows {clip.name}", ["kata", "launch", "record", "source:=mocap", *session]),
        Step("Write the report", ["kata", "report", str(out), "--clip", *figures]),
    ]


def summary(out: Path) -> str:
    """Return the report's figures as lines."""
    figures = json.loads((out / "report.json").read_text())
    if "success_rate" not in figures:
        return "\n".join(f"{name}: {value}" for name, value in figures.items())
    low, high = 100 * figures["success_low"], 100 * figures["success_high"]
    return (
        f"Reach success rate: {figures['success_rate']:.2f} ({figures['successes']} of {figures['rollouts']} rollouts, "
        f"95 % interval {low:.0f} to {high:.0f} %)"
    )


if __name__ == "__main__":
    sys.exit(main())
