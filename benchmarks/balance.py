# SPDX-License-Identifier: Apache-2.0
"""Measure how the simulated G1 stands on its own feet under the safety filter: CPU time of a tick, how long, which pushes.

Its arms swing all the time. A push lasts 0.1 s, at the pelvis; it is survived if no stop came and the robot stands 3 s later.

    python benchmarks/balance.py --json balance.json
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from figures import tell
from tqdm import tqdm

from kata_model import Status, load_robot
from kata_sim.on_feet import OnFeet, swinging

DIRECTIONS = {"forward": (1.0, 0.0), "backward": (-1.0, 0.0), "left": (0.0, 1.0), "right": (0.0, -1.0)}
STANDS = 0.7
"""Height of the pelvis over which it stands [m]; it does at 0.77."""
MOST = 40.0
"""Largest push that is tried [N·s]."""


def stand(feet: OnFeet, robot, seconds: float) -> dict[str, float]:
    """Stand and swing the arms; return how long, and CPU times of the ticks."""
    motion = swinging(robot)
    while feet.time < seconds and (not feet.heights or feet.heights[-1] > STANDS):
        feet.run(0.1, motion)
    cpu = 1e3 * np.array(feet.cpu)
    return {
        "stand_s": feet.time,
        "margin_min_m": float(min(feet.margins)),
        "tick_p50_ms": float(np.percentile(cpu, 50)),
        "tick_p99_ms": float(np.percentile(cpu, 99)),
    }


def survives(feet: OnFeet, robot, impulse: np.ndarray) -> bool:
    """Return whether the robot still follows and stands after a push."""
    motion = swinging(robot)
    feet.restart()
    feet.run(1.0, motion)
    feet.simulation.push(impulse)
    for _ in range(15):
        verdict = feet.run(0.2, motion)
        if verdict.status is Status.STOPPED:
            return False
    return feet.heights[-1] > STANDS


def limit(feet: OnFeet, robot, direction: tuple[float, float], step: float) -> float:
    """Return the largest push survived of those halved in on, to a step [N·s]."""
    low, high = 0.0, MOST
    while high - low > step:
        middle = 0.5 * (low + high)
        if survives(feet, robot, np.array([*direction, 0.0]) * middle):
            low = middle
        else:
            high = middle
    return low


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated time of standing [s]")
    parser.add_argument("--step", type=float, default=1.0, help="resolution of the pushes [N·s]; 0 leaves them out")
    parser.add_argument("--json", type=Path, help="write the figures as one flat object")
    arguments = parser.parse_args()
    robot = load_robot("g1")
    feet = OnFeet(robot)
    result = stand(feet, robot, arguments.seconds)
    for name in tqdm(DIRECTIONS, desc="pushes", disable=None) if arguments.step > 0.0 else ():
        result[f"push_{name}_ns"] = limit(feet, robot, DIRECTIONS[name], arguments.step)
    tell(result, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
