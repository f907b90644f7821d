# SPDX-License-Identifier: Apache-2.0
"""The files of a drafted robot as text that a person can read and correct."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from kata_model.robot.description import urdf_reference
from kata_retarget.drafting.draft import SIDES, Draft
from kata_retarget.drafting.landmarks import Place, link_of

__all__ = ["retarget_text", "robot_text", "safety_text", "sim_text"]


def robot_text(draft: Draft, notes: Sequence[str]) -> str:
    """Return ``robot.yaml``, with notes of what to check."""
    d = draft.robot.description
    lines = [f"# {d.name}: drafted by `kata robot add` from the URDF alone. Check:", *(f"# - {note}" for note in notes)]
    lines += [f"name: {d.name}", f"urdf: {urdf_reference(d.urdf)}", f"base_link: {d.base_link}"]
    lines += [f"base_height: {d.base_height:g}    # sole to base at rest [m]", "", "groups:"]
    lines += [f"  {name}: [{', '.join(joints)}]" for name, joints in d.groups.items()]
    if d.held:
        lines += ["", "# pattern of joint names: where these joints stay, which Kata leaves alone [rad or m]", "held:"]
        lines += [f"  {pattern}: {position:g}" for pattern, position in d.held.items()]
    lines += ["", "# Arms down and a little away from the body, elbows bent [rad].", "rest:" if d.rest else "rest: {}"]
    lines += [f"  {joint}: {value:g}" for joint, value in d.rest.items()]
    lines += ["", "# pattern of joint names: [stiffness N m/rad, damping N m s/rad]; the first match counts", "gains:"]
    lines += _gains(draft)
    lines += ["", "frames:"]
    lines += [f"  {name}: {{link: {f.link}, xyz: {_vector(f.xyz)}}}" for name, f in d.frames.items()]
    lines += ["", "# human body: robot frame that follows it, and the group of joints that may move for it", "hands:"]
    lines += [f"  {side}_hand: {{frame: {side}_palm, joints: {side}_arm}}" for side in SIDES]
    return "\n".join(lines) + "\n"


def _gains(draft: Draft) -> list[str]:
    """Return one line for a joint and its mirror image, with the left one's gains."""
    robot, groups = draft.robot, draft.robot.description.groups
    lines = []
    for part in ("leg", "arm"):
        for left, right in zip(groups[f"left_{part}"], groups[f"right_{part}"], strict=True):
            lines.append(_gain(f"{re.escape(left)}|{re.escape(right)}", *robot.description.gain(left)))
    for name in ("waist", "head"):
        lines += [_gain(re.escape(joint), *robot.description.gain(joint)) for joint in groups.get(name, ())]
    return lines


def _gain(pattern: str, stiffness: float, damping: float) -> str:
    return f"  {pattern}: [{stiffness:g}, {damping:g}]"


def retarget_text(draft: Draft) -> str:
    """Return ``retarget.yaml``."""
    lines = ["# How a human's body stands for this robot's. Keypoints carry positions, links carry orientations."]
    lines += [
        "# weight 1 per m² is the measure of all: 1 rad of a link with 0.02 per rad² counts as much as 14 cm of a keypoint."
    ]
    lines += ["", "keypoints:    # human body's origin: point of a robot frame"]
    lines += [_keypoint(body, place) for body, place in keypoints(draft).items()]
    lines += ["", "orientations:    # human body: robot frame that turns with it"]
    lines += [f"  {body}: {{frame: {link}, weight_per_rad2: {weight:g}}}" for body, link, weight in _orientations(draft)]
    lines += ["", "soles:    # corners of the flat part, in the frame [m]; of the meshes"]
    for side, sole in zip(SIDES, draft.soles, strict=True):
        corners = ", ".join(_vector(corner) for corner in sole.offset)
        lines.append(f"  {side}: {{frame: {sole.frame}, corners_m: [{corners}]}}")
    hinges = ", ".join(draft.robot.pinocchio.names[limb.hinge] for limb in draft.limbs.values())
    lines += ["", f"hinges: [{hinges}]    # bend one way only, from the straight limb on"]
    return "\n".join(lines) + "\n"


def keypoints(draft: Draft) -> dict[str, Place]:
    """Return where each human body's origin is on the robot."""
    found: dict[str, Place] = {}
    for part, bodies in (("leg", ("thigh", "shin", "foot")), ("arm", ("upper_arm", "forearm", "hand"))):
        places = [_limb(draft, f"{side}_{part}") for side in SIDES]
        for i, body in enumerate(bodies):
            found |= {f"{side}_{body}": place[i] for side, place in zip(SIDES, places, strict=True)}
    return found


def _limb(draft: Draft, group: str) -> tuple[Place, Place, Place]:
    """Return start, hinge and end of a limb; the palm stands for the wrist of an arm that has none."""
    robot, limb = draft.robot, draft.limbs[group]
    hinge, end = (Place(link_of(robot, joint), np.zeros(3)) for joint in (limb.hinge, limb.end))
    if limb.hinge == limb.end:
        palm = robot.description.frames[group.replace("arm", "palm")]
        end = Place(palm.link, np.array(palm.xyz))
    return limb.start, hinge, end


def _keypoint(body: str, place: Place) -> str:
    offset = f", xyz_m: {_vector(place.offset)}" if place.offset.any() else ""
    return f"  {body}: {{frame: {place.frame}{offset}, weight_per_m2: 1.0}}"


def _orientations(draft: Draft) -> list[tuple[str, str, float]]:
    robot = draft.robot
    rows = [("pelvis", robot.description.base_link, 0.05)]
    for body, group, weight in (("torso", "waist", 0.02), ("head", "head", 0.002)):
        if group in robot.description.groups:
            last = robot.layout.indices(robot.description.groups[group])[-1] + 1
            rows.append((body, link_of(robot, last), weight))
    rows += [(f"{side}_foot", link_of(robot, draft.limbs[f"{side}_leg"].end), 0.01) for side in SIDES]
    for side in SIDES:
        arm = draft.limbs[f"{side}_arm"]
        rows.append((f"{side}_upper_arm", link_of(robot, int(robot.pinocchio.parents[arm.hinge])), 0.002))
    return rows + [(f"{side}_hand", link_of(robot, draft.limbs[f"{side}_arm"].end), 0.002) for side in SIDES]


def safety_text(draft: Draft) -> str:
    """Return ``safety.yaml``."""
    lines = ["# What the safety filter must know beyond URDF and capsules.yaml; write boxes, half_spaces or keep_out under"]
    lines += ["# workspace where a table, a wall or a person stands.", "", "hands:"]
    return "\n".join(lines + [f"  - {{frame: {side}_palm, radius: {draft.palm_radius:.2f}}}" for side in SIDES]) + "\n"


def sim_text(draft: Draft) -> str:
    """Return ``sim.yaml``."""
    lines = ["# What the simulator must know beyond the URDF. dynamics, by pattern of joint names: [armature kg m2, damping"]
    lines += ["# N m s/rad, friction N m]; joints that no pattern names get those of a small gear.", ""]
    if draft.camera:
        lines.append(f"camera: {{link: {draft.camera}, fovy: 1.0}}    # looks along the link's x, z up [rad]")
    lines.append(f"imu: {{link: {draft.imu or draft.robot.description.base_link}}}")
    return "\n".join(lines) + "\n"


def _vector(values: Iterable[float]) -> str:
    return "[" + ", ".join(f"{round(float(value), 4) + 0.0:g}" for value in values) + "]"
