# SPDX-License-Identifier: Apache-2.0
"""Make the data that a robot's folder needs.

`capsules` fits the capsules of self-collision to the meshes of the robot's URDF and finds the pairs of links that
need no watching. It takes some minutes; the result can be corrected by hand.

Example:
  kata robot capsules g1 --out config/robots/g1/capsules.yaml --picture capsules.svg
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    capsules = actions.add_parser("capsules", help="fit capsules to the links' meshes")
    capsules.add_argument("robot", help="name of a folder in config/robots, or its path")
    capsules.add_argument("--out", type=Path, metavar="FILE.yaml", help="file to write (default: capsules.yaml of the folder)")
    capsules.add_argument("--picture", type=Path, metavar="FILE.svg", help="also draw the robot's hulls with the capsules")


def run(args: argparse.Namespace) -> int:
    """Fit, write, and say how many there are."""
    from kata_core.collision import CapsuleSet
    from kata_core.collision.fit import fit_capsules
    from kata_core.collision.ignore import harmless_pairs
    from kata_core.collision.picture import draw_capsules
    from kata_core.collision.store import store_capsules
    from kata_core.robot import load_robot

    robot = load_robot(args.robot)
    found = CapsuleSet(fit_capsules(robot), harmless_pairs(robot))
    out = args.out or robot.description.folder / "capsules.yaml"
    store_capsules(found, out)
    print(f"{out}: {len(found.capsules)} capsules, {len(found.ignored)} pairs of links that need no watching")
    if args.picture:
        draw_capsules(robot, found, args.picture)
        print(args.picture)
    return 0
