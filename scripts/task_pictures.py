#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draw the pictures of docs/tasks.md: each task's scene as the experts work in it, watched and by the head camera."""

import argparse
from pathlib import Path

import numpy as np

from kata_model.atomic import new_file
from kata_model.robot import load_robot
from kata_sim import HEAD_CAMERA, SCENE_CAMERA, TASKS, SimConfig, Simulation, encode_jpeg, make_expert

MOMENTS = {"reach": 0.9, "lift": 3.0, "push": 2.4}
"""When each picture is taken, by task [s]."""


def main() -> int:
    """Write one JPEG for each task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="folder (default: %(default)s)")
    args = parser.parse_args()
    robot = load_robot("g1")
    for task in TASKS:
        simulation = Simulation(robot, SimConfig(image_width=480, image_height=360), task)
        simulation.reset(1)
        expert = make_expert(robot, task, 1)
        for _ in range(round(50 * MOMENTS[task])):
            if (command := expert(simulation.joint_state(), simulation.objects())) is not None:
                simulation.command(command)
            simulation.step(10)
        picture = np.hstack([simulation.render(SCENE_CAMERA), simulation.render(HEAD_CAMERA)])
        with new_file(args.out / f"task_{task}.jpg") as partial:
            partial.write_bytes(encode_jpeg(picture, 80))
        simulation.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
