# SPDX-License-Identifier: Apache-2.0
"""Measure the simulator: physics steps per second and milliseconds per picture, in CPU time of one process."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kata_model import JointCommand, load_robot
from kata_sim import HEAD_CAMERA, SCENE_CAMERA, SimConfig, Simulation, make_expert, run_rollout


def main() -> None:
    """Measure, print a table and write it as one flat object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--robot", default="g1", help="name or path of the robot's folder of data")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as one flat JSON object")
    args = parser.parse_args()
    figures = {**_physics(args.robot), **_pictures(args.robot)}
    for name, value in figures.items():
        print(f"{name:28} {value:10.3f}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


def _physics(name: str) -> dict[str, float]:
    robot = load_robot(name)
    begun = time.process_time()
    simulation = Simulation(robot)
    figures = {"build_s": time.process_time() - begun}
    arm = np.array(robot.rest)
    still = np.zeros_like(arm)

    def follow() -> None:
        """Take a command and step: what one tick of a robot at 250 Hz costs."""
        simulation.command(JointCommand(0, arm, still, robot.gravity_effort(arm), robot.stiffness, robot.damping))
        simulation.step(2)

    tick = _milliseconds(follow, 2000)
    figures["steps_per_cpu_s"] = 2000.0 / tick[0]
    figures["step_p50_us"], figures["step_p99_us"] = 500.0 * tick[0], 500.0 * tick[1]
    if simulation.task:
        begun = time.process_time()
        rollouts = [run_rollout(simulation, make_expert(robot, simulation.task.name, seed), seed=seed) for seed in range(10)]
        figures["rollout_cpu_s"] = (time.process_time() - begun) / len(rollouts)
        figures["expert_success"] = float(np.mean([rollout.success for rollout in rollouts]))
    return figures


def _pictures(name: str) -> dict[str, float]:
    figures = {}
    for quality in ("fast", "fine"):
        simulation = Simulation(load_robot(name), SimConfig(image_quality=quality))
        for camera in (HEAD_CAMERA, SCENE_CAMERA) if simulation.facts.camera else (SCENE_CAMERA,):
            simulation.render(camera)
            p50, p99 = _milliseconds(lambda s=simulation, c=camera: s.render(c), 100 if quality == "fast" else 5)
            prefix = f"render_{camera}_{quality}"
            figures[f"{prefix}_p50_ms"], figures[f"{prefix}_p99_ms"] = p50, p99
        simulation.close()
    return figures


def _milliseconds(call: Callable[[], object], count: int) -> tuple[float, float]:
    """Return median and 99th percentile of a call's CPU time [ms]."""
    times = []
    for _ in range(count):
        begun = time.process_time()
        call()
        times.append(1e3 * (time.process_time() - begun))
    p50, p99 = np.percentile(times, [50, 99])
    return float(p50), float(p99)


if __name__ == "__main__":
    main()
