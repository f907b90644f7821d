# SPDX-License-Identifier: Apache-2.0
"""Writes a robot's folder of data, whole or not at all."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from kata_model.atomic import check_free, new_folder
from kata_model.collision import CapsuleSet
from kata_model.collision.fit import fit_capsules
from kata_model.collision.ignore import harmless_pairs
from kata_model.collision.picture import draw_capsules
from kata_model.collision.store import store_capsules
from kata_model.errors import RobotError
from kata_model.robot import load_robot
from kata_model.robot.urdf import parse_urdf
from kata_retarget.drafting.check import check_robot
from kata_retarget.drafting.draft import Draft, draft_robot
from kata_retarget.drafting.text import keypoints, retarget_text, robot_text, safety_text, sim_text

__all__ = ["PICTURE", "add_robot", "name_of"]

PICTURE = "picture.svg"
_MARKER = "robot.yaml"
_UNKNOWN = (
    "gains are computed from inertias, for a drive of 2.5 Hz: replace them by the maker's",
    "armature and friction of the drives are a small gear's (sim.yaml)",
    "the wrists' twist at rest: palms should face the thighs (picture.svg)",
)


def name_of(urdf: Path) -> str:
    """Return the name that a URDF gives its robot, fit for a folder.

    Raises:
        RobotError: The file is no URDF.
    """
    return re.sub(r"\W+", "_", parse_urdf(urdf).get("name") or urdf.stem).strip("_").lower() or "robot"


def add_robot(
    urdf: Path, name: str, out: Path, watch: Callable[[list[str]], Iterable[str]] = iter, *, replace: bool = False
) -> list[str]:
    """Write the folder of a robot and return what a person should check.

    Args:
        urdf: The robot's description.
        name: What the robot is called.
        out: Folder to write.
        watch: Told the links to fit, gives them back one by one: a progress bar.
        replace: Whether a robot's folder that is there already may be replaced.

    Raises:
        KataError: The URDF is not fit, or the folder exists or cannot be written. Nothing is left behind then.
    """
    check_free(out, _MARKER, replace=replace)
    draft = draft_robot(urdf, name)
    capsules = CapsuleSet(fit_capsules(draft.robot, watch), harmless_pairs(draft.robot))
    with new_folder(out, _MARKER, replace=replace) as partial:
        return _fill(partial, draft, capsules)


def _fill(folder: Path, draft: Draft, capsules: CapsuleSet) -> list[str]:
    """Write all files, load them again, and add to robot.yaml what that showed."""
    (folder / "robot.yaml").write_text(robot_text(draft, ()))
    (folder / "retarget.yaml").write_text(retarget_text(draft))
    (folder / "safety.yaml").write_text(safety_text(draft))
    (folder / "sim.yaml").write_text(sim_text(draft))
    store_capsules(capsules, folder / "capsules.yaml")
    robot = load_robot(folder)
    if robot.layout != draft.robot.layout:
        raise RobotError("the folder describes other joints than the draft", where=str(folder))
    notes = [*check_robot(robot), *_UNKNOWN, *([] if draft.camera else ["no link is called a camera (sim.yaml)"])]
    (folder / "robot.yaml").write_text(robot_text(draft, notes))
    draw_capsules(robot, capsules, folder / PICTURE, keypoints(draft))
    return notes
