# SPDX-License-Identifier: Apache-2.0
"""Measure what a policy's monitor promises: how often it stops an ordinary attempt, how often it finds what is foreign.

Trainings, each from demonstrations of its own, and attempts are pieces with files of their own under --out; what is there is not
done again, so that a run may be cut off and go on. An attempt at what is foreign ends as soon as it is held.

- ordinary: the task's own scenes, from other seeds than those that the monitor was calibrated on
- ball 20 or 10 cm outside: a thing of the task lies so far beyond a face of the box that it was shown in
- elbow: the encoder reads 0.3 rad off, up or down
- black, frozen (of policies that see, --policy cnn): the camera goes dark, or shows its first picture for ever

Examples:
  python benchmarks/monitor.py --json monitor.json
  python benchmarks/monitor.py --trainings 1 --only reach --rollouts 50
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from figures import tell

from kata_learning.evaluation.policy_loop import PolicyLoop
from kata_model import JointState, load_robot
from kata_model.arrays import FloatArray
from kata_model.atomic import new_file
from kata_model.robot import RobotModel
from kata_policy import Certainty
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.pictures import shrink
from kata_policy.running.runner import RunnerConfig
from kata_safety import SafetyConfig
from kata_sim import Simulation, run_rollout
from kata_sim.world.robot_data import load_sim_data

KATA = (sys.executable, "-m", "kata")
SHOWN = {"reach": 40, "push": 100}
SEED = 1000
ELBOW, OFF = "right_elbow_joint", 0.3
CASES = ("ordinary", "20cm", "10cm", "elbow")
BLIND = ("black", "frozen")


class Found(Exception):  # noqa: N818
    """The monitor holds; the rest of the attempt says nothing more."""


class Attempt:
    """One attempt under a case: what the loop is told is not what is there."""

    def __init__(self, simulation: Simulation, policy: OnnxPolicy, case: str, number: int) -> None:
        """Draw what is wrong."""
        self._simulation, self._case, self._robot = simulation, case, simulation.robot
        self._rng, self._first, self._away = np.random.default_rng([SEED, number]), None, None
        self._off = OFF * (1 - 2 * (number % 2)) if case == "elbow" else 0.0
        self.loop = PolicyLoop(simulation.robot, policy, SafetyConfig(), RunnerConfig(seed=SEED + number), look=self._look)

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]):
        """Return the loop's command; raise once something foreign was found."""
        position = np.array(state.position)
        position[self._robot.layout.names.index(ELBOW)] += self._off
        command = self.loop(JointState(state.stamp, position, state.velocity, state.effort), self._moved(objects))
        if self._case != "ordinary" and self.loop.certainties[Certainty.UNSURE]:
            raise Found
        return command

    def _moved(self, objects: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        if not self._case.endswith("cm"):
            return objects
        if self._away is None:
            boxes = list(_boxes(self._robot, self._simulation.task.name))
            name, low, high = boxes[self._rng.integers(len(boxes))]
            axis, up = self._rng.integers(len(low)), self._rng.integers(2)
            place = high[axis] + 1e-2 * int(self._case[:-2]) if up else low[axis] - 1e-2 * int(self._case[:-2])
            self._away = name, (place - objects[name][axis]) * np.eye(7)[axis]
        name, way = self._away
        return {**objects, name: objects[name] + way}

    def _look(self, camera):
        picture = shrink(np.asarray(self._simulation.render()), camera.height)
        self._first = picture if self._first is None else self._first
        return np.zeros_like(picture) if self._case == "black" else self._first if self._case == "frozen" else picture


def _boxes(robot: RobotModel, task: str) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Return the things of a task with the corners that they lie between [m]."""
    tasks = load_sim_data(robot.description).tasks
    if task == "reach":
        yield "goal", tasks.reach.low, tasks.reach.high
    else:
        yield "goal", tasks.push.goal_low, tasks.push.goal_high
        yield "puck", tasks.push.low, tasks.push.high


def measure(policy: Path, task: str, case: str, rollouts: int) -> dict[str, int]:
    """Return of how many attempts how many succeeded, were warned of, and were held."""
    robot = load_robot("g1")
    loaded, simulation, counts = (
        OnnxPolicy.load(policy, robot),
        Simulation(robot, task=task),
        dict.fromkeys(("won", "warned", "held"), 0),
    )
    for number in range(rollouts):
        attempt = Attempt(simulation, loaded, case, number)
        try:
            rollout = run_rollout(simulation, attempt, seed=SEED + number, timeout=simulation.task.timeout)
            counts["won"] += rollout.success
        except Found:
            pass
        seen = attempt.loop.certainties
        counts["held"] += bool(seen[Certainty.UNSURE])
        counts["warned"] += bool(seen[Certainty.UNSURE] + seen[Certainty.WARNING])
    simulation.close()
    return {"rollouts": rollouts, **counts}


def train(task: str, seed: int, folder: Path, jobs: int, policy: str) -> Path:
    """Return a policy's file, made from demonstrations on."""
    shown, data, run, file = (folder / name for name in ("demos", "data", "train", "policy.onnx"))
    kind, pictures = ([], []) if policy == "mlp" else ([policy, "--cameras", "head"], ["--camera-rate", "30"])
    steps = (
        (
            shown,
            ["demonstrate", "--task", task, "--episodes", f"{SHOWN[task]}", "--seed", f"{seed}", "--jobs", f"{jobs}", *pictures],
        ),
        (data, ["dataset", "build", str(shown), "--jobs", f"{jobs}", *(["--image-height", "48"] if pictures else [])]),
        (run, ["train", *kind, "--data", str(data), "--seed", f"{seed}"]),
        (file, ["export", str(run), "--jobs", f"{jobs}"]),
    )
    for out, arguments in steps:
        if not out.exists():
            subprocess.run([*KATA, *arguments, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    return file


def main() -> None:
    """Measure what is not there yet, and tell all."""
    args = options().parse_args()
    tell(collect(args), args.json)


def options() -> argparse.ArgumentParser:
    """Return what can be asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=5, help="of each task (default: 5)")
    parser.add_argument("--rollouts", type=int, default=100, help="attempts in each case (default: 100)")
    parser.add_argument("--only", nargs="+", choices=tuple(SHOWN), default=tuple(SHOWN), help="tasks (default: all)")
    parser.add_argument("--policy", default="mlp", help="kind of policy; all but mlp see the head camera (default: mlp)")
    parser.add_argument("--jobs", type=int, default=2, help="demonstrations and calibrating attempts at a time (default: 2)")
    parser.add_argument("--out", type=Path, default=Path("runs/monitor"), help="folder of pieces (default: runs/monitor)")
    parser.add_argument("--json", type=Path, help="file to write the figures to, as one flat object")
    return parser


def collect(args: argparse.Namespace) -> dict[str, float]:
    """Measure what is not there yet, and return all figures."""
    cells: dict[str, list[dict[str, int]]] = {}
    for seed in range(args.trainings):
        for task in args.only:
            folder = args.out / (f"{task}{seed}" if args.policy == "mlp" else f"{task}-{args.policy}{seed}")
            file = train(task, seed, folder, args.jobs, args.policy)
            for case in CASES if args.policy == "mlp" else (CASES[0], *BLIND):
                piece = folder / f"{case}-{args.rollouts}.json"
                if not piece.is_file():
                    with new_file(piece) as partial:
                        partial.write_text(json.dumps(measure(file, task, case, args.rollouts)) + "\n")
                cell = json.loads(piece.read_text())
                print(f"{folder.name} {case}: {cell}", flush=True)
                for name in (case, f"{task} {case}"):
                    cells.setdefault(name, []).append(cell)
    return figures(cells, args.only)


def figures(cells: Mapping[str, list[dict[str, int]]], tasks: tuple[str, ...]) -> dict[str, float]:
    """Return all percentages: over all tasks, and by task."""

    def share(name: str, what: str) -> float:
        return 100.0 * sum(cell[what] for cell in cells[name]) / sum(cell["rollouts"] for cell in cells[name])

    told = {}
    for key, prefix in (("monitor", ""), *((f"monitor_{task}", f"{task} ") for task in tasks)):
        told |= {
            f"{key}_{word}_percent": share(f"{prefix}ordinary", what)
            for word, what in (("hold", "held"), ("warn", "warned"), ("success", "won"))
        }
        told |= {
            f"{key}_found_{case}_percent": share(prefix + case, "held") for case in (*CASES[1:], *BLIND) if prefix + case in cells
        }
    return {**told, "monitor_trainings": len(cells["ordinary"])}


if __name__ == "__main__":
    main()
