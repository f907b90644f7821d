# SPDX-License-Identifier: Apache-2.0
"""Collect demonstrations in simulation without ROS: many, and fast.

A scripted person shows the task; retargeting, the safety filter and the simulator are those of the graph, and the bags
hold the same topics, types and stamps as those of `kata launch record`. Failed attempts are repeated with other seeds.

Example:
  kata demonstrate --task push --episodes 100 --out runs/push/demonstrations --jobs 2
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from kata_model.config.options import add_config
    from kata_sim import Randomization
    from kata_sim.demonstrations import EpisodeConfig, SessionConfig

    parser.add_argument("--task", required=True, help="task to show, e.g. reach, lift or push")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder that receives one bag an episode")
    parser.add_argument("--robot", default="g1", help="robot (default: g1)")
    add_config(parser, SessionConfig, "session")
    add_config(parser, EpisodeConfig, "episodes")
    add_config(parser, Randomization, "what differs from episode to episode")


def run(args: argparse.Namespace) -> int:
    """Collect and say what came of it."""
    import time

    from tqdm import tqdm

    from kata_model.config.options import take_config
    from kata_model.robot import load_robot
    from kata_sim import Randomization
    from kata_sim.demonstrations import EpisodeConfig, SessionConfig, demonstrate

    session, episode = take_config(SessionConfig, args), take_config(EpisodeConfig, args)
    randomization, robot, begun = take_config(Randomization, args), load_robot(args.robot), time.monotonic()
    with tqdm(total=session.episodes, desc="demonstrations", unit="episode", disable=None) as bar:
        on_episode = lambda kept: bar.update(int(kept)) and None  # noqa: E731
        found = demonstrate(robot, args.task, args.out, session, episode, randomization, on_episode)
    print(f"{len(found.bags)} episodes in {args.out}: {found.successes} of {found.attempts} attempts at {args.task} succeeded")
    print(f"{found.seconds:.0f} s of simulated time in {time.monotonic() - begun:.0f} s; next: kata dataset build {args.out}")
    return 0
