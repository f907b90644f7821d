# SPDX-License-Identifier: Apache-2.0
"""Make and check the data that a robot's folder needs.

`add` makes a whole folder from a humanoid's URDF: groups of joints, rest posture, first gains, hands, soles, the
retargeting table and the capsules of self-collision, with a picture; it says what a person should check. `check`
loads all of a folder and says what is missing or odd. `capsules` fits the capsules anew. A folder may lie anywhere:
give its path as --robot, or put it under robots/ of a folder that $KATA_CONFIG_PATH names.

Examples:
  kata robot add g1.urdf --out my/g1
  kata robot check my/g1
  kata robot capsules g1 --out config/robots/g1/capsules.yaml --picture capsules.svg
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="make a robot's folder from its URDF")
    add.add_argument("urdf", type=Path, metavar="URDF", help="a humanoid's URDF; xacro files must be expanded first")
    add.add_argument("--name", help="what to call the robot (default: as the URDF does)")
    add.add_argument("--out", type=Path, metavar="DIR", help="folder to make (default: ./NAME)")
    add.add_argument("--replace", action="store_true", help="replace the robot's folder that is there already")
    check = actions.add_parser("check", help="load all of a robot's folder, and say what is missing or odd")
    check.add_argument("robot", help="name of a folder in config/robots, or its path")
    capsules = actions.add_parser("capsules", help="fit capsules to the links' meshes")
    capsules.add_argument("robot", help="name of a folder in config/robots, or its path")
    capsules.add_argument("--out", type=Path, metavar="FILE.yaml", help="file to write (default: capsules.yaml of the folder)")
    capsules.add_argument("--picture", type=Path, metavar="FILE.svg", help="also draw the robot's hulls with the capsules")


def run(args: argparse.Namespace) -> int:
    """Do what is asked; 0 if it went well."""
    return {"add": _add, "check": _check, "capsules": _capsules}[args.action](args)


def _add(args: argparse.Namespace) -> int:
    from kata_retarget.drafting import PICTURE, add_robot, name_of

    name = args.name or name_of(args.urdf)
    out = args.out or Path(name)
    notes = add_robot(args.urdf, name, out, _progress, replace=args.replace)
    print(f"{out}: robot.yaml, retarget.yaml, capsules.yaml, safety.yaml, sim.yaml")
    print(f"It loads. Look at {out / PICTURE}, and check:")
    _tell(notes)
    path = out if out.is_absolute() or len(out.parts) > 1 else f"./{out}"
    print(f"Then: kata retarget CLIP --robot {path} --out motion.npz")
    return 0


def _check(args: argparse.Namespace) -> int:
    from kata_model.robot import load_robot
    from kata_retarget.drafting import check_robot

    robot = load_robot(args.robot)
    notes = check_robot(robot)
    print(f"{robot.description.folder}: {robot.description.name}, {len(robot.layout)} joints")
    print("It loads. Check:" if notes else "It loads.")
    _tell(notes)
    return 0


def _capsules(args: argparse.Namespace) -> int:
    from kata_model.collision import CapsuleSet
    from kata_model.collision.fit import fit_capsules
    from kata_model.collision.ignore import harmless_pairs
    from kata_model.collision.picture import draw_capsules
    from kata_model.collision.store import store_capsules
    from kata_model.robot import load_robot

    robot = load_robot(args.robot)
    found = CapsuleSet(fit_capsules(robot, _progress), harmless_pairs(robot))
    out = args.out or robot.description.folder / "capsules.yaml"
    store_capsules(found, out)
    print(f"{out}: {len(found.capsules)} capsules, {len(found.ignored)} pairs of links that need no watching")
    if args.picture:
        draw_capsules(robot, found, args.picture)
        print(args.picture)
    return 0


def _tell(notes: list[str]) -> None:
    for note in notes:
        print(f"  - {note}")


def _progress(links: list[str]) -> Iterable[str]:
    from tqdm import tqdm

    bar: Iterable[str] = tqdm(links, desc="fitting capsules", unit="link", file=sys.stderr)
    return bar
