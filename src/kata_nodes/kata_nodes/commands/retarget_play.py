# SPDX-License-Identifier: Apache-2.0
"""What `kata retarget CLIP --play` does with the motion: send it to the robot that runs.

It starts nothing: the graph must be up (`kata launch sim`, or `kata launch teleop …` with its source at rest). The robot
is led to the first posture, follows the motion through the safety filter, and is left holding. Ctrl-C ends the sending,
and the filter holds.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kata_retarget.jobs import ClipResult


def _say(text: str) -> None:
    print(text, flush=True)


def _quiet(text: str) -> None:
    """Say nothing."""


def run(results: "Sequence[ClipResult]", args: argparse.Namespace) -> int:
    """Play the one motion; 130 if it was interrupted.

    Raises:
        KataError: There is no safety node, somebody else moves the robot, or the filter stopped.
    """
    from kata_nodes import spin
    from kata_nodes.enclave import enclave_arguments
    from kata_nodes.retarget.play_node import PlayNode
    from kata_retarget.jobs import robot_of

    trajectory = next(result.trajectory for result in results if result.trajectory is not None)
    made: list[PlayNode] = []

    def make() -> PlayNode:
        made.append(PlayNode(robot_of(args.robot), trajectory, _quiet if args.quiet else _say))
        return made[0]

    sys.argv += enclave_arguments("play", sys.argv)
    code = spin.run(make)
    if made and made[0].fault is not None:
        raise made[0].fault
    if not made or made[0].exit_code is None:
        print("interrupted: nothing is sent any more, the robot holds", flush=True)
        return 130
    return code
