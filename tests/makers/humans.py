# SPDX-License-Identifier: Apache-2.0
"""One human motion, known exactly, and its expression in the skeletons that programs export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from kata_model.frames import BODIES

SIDES = (("left", 1.0), ("right", -1.0))
Y_UP = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])  # the file's x is left, y up, z forward
Z_UP = np.eye(3)

# Joint: parent, body that turns with it, origin in the parent's body frame [m]. All seen in the reference pose.
TREE: dict[str, tuple[str, str, tuple[float, float, float]]] = {
    "hips": ("", "pelvis", (0.0, 0.0, 0.08)),
    "spine": ("hips", "torso", (0.0, 0.0, 0.07)),
    "chest": ("spine", "torso", (0.0, 0.0, 0.15)),
    "neck": ("chest", "head", (0.0, 0.0, 0.15)),
    "head": ("neck", "head", (0.0, 0.0, 0.10)),
    "head_end": ("head", "head", (0.0, 0.0, 0.18)),
}
for _side, _y in SIDES:
    TREE |= {
        f"{_side}_clavicle": ("chest", "torso", (0.0, 0.0, 0.15)),
        f"{_side}_upper_arm": (f"{_side}_clavicle", f"{_side}_upper_arm", (0.0, 0.18 * _y, 0.02)),
        f"{_side}_forearm": (f"{_side}_upper_arm", f"{_side}_forearm", (0.0, 0.28 * _y, 0.0)),
        f"{_side}_hand": (f"{_side}_forearm", f"{_side}_hand", (0.0, 0.25 * _y, 0.0)),
        f"{_side}_hand_end": (f"{_side}_hand", f"{_side}_hand", (0.0, 0.09 * _y, 0.0)),
        f"{_side}_thigh": ("hips", f"{_side}_thigh", (0.0, 0.10 * _y, -0.08)),
        f"{_side}_shin": (f"{_side}_thigh", f"{_side}_shin", (0.0, 0.0, -0.42)),
        f"{_side}_foot": (f"{_side}_shin", f"{_side}_foot", (0.0, 0.0, -0.41)),
        f"{_side}_toes": (f"{_side}_foot", f"{_side}_toes", (0.13, 0.0, -0.045)),
        f"{_side}_toes_end": (f"{_side}_toes", f"{_side}_toes", (0.07, 0.0, 0.0)),
        f"{_side}_sole_end": (f"{_side}_foot", f"{_side}_foot", (0.0, 0.0, -0.07)),
    }


@dataclass(frozen=True)
class Human:
    """Where a human's bodies and joints are, over N frames; floor at z = 0."""

    turn: Mapping[str, Rotation]
    joint: Mapping[str, np.ndarray]
    fps: float

    @property
    def position(self) -> np.ndarray:
        """Body origins as `kata_model.frames` wants them, shape (N, b, 3)."""
        at = dict(self.joint)
        at["pelvis"] = 0.5 * (at["left_thigh"] + at["right_thigh"])
        at["torso"] = at["chest"] + self.turn["torso"].apply([0.0, 0.0, 0.17])
        return np.stack([at[name] for name in BODIES], axis=1)

    @property
    def orientation(self) -> np.ndarray:
        """Body orientations, xyzw, shape (N, b, 4)."""
        return np.stack([self.turn[name].as_quat() for name in BODIES], axis=1)


def about(axis: str, degrees: np.ndarray | float) -> Rotation:
    angles = np.radians(np.asarray(degrees, dtype=float))[..., None]
    return Rotation.from_rotvec(angles * np.eye(3)["xyz".index(axis)])


def human(frames: int = 240, fps: float = 60.0, t_pose_first: bool = False) -> Human:
    """Make a motion: marching on the spot while turning, elbows and knees bending, soles level."""
    t = np.arange(frames) / fps
    wave = np.sin(2.0 * np.pi * 0.5 * t)
    heading = about("z", 20.0 * np.sin(2.0 * np.pi * 0.1 * t))
    turn = {"pelvis": heading * about("y", 4.0 * wave)}
    turn["torso"] = turn["pelvis"] * about("y", 8.0 * wave) * about("z", 10.0 * wave)
    turn["head"] = turn["torso"] * about("z", -8.0 * wave)
    for side, y in SIDES:
        lift = np.clip(y * wave, 0.0, None)
        arm = turn["torso"] * about("x", -y * (65.0 + 15.0 * wave)) * about("z", -y * 25.0 * wave)
        turn[f"{side}_upper_arm"] = arm
        turn[f"{side}_forearm"] = arm * about("z", -y * (40.0 + 30.0 * wave))
        turn[f"{side}_hand"] = turn[f"{side}_forearm"]
        turn[f"{side}_thigh"] = turn["pelvis"] * about("x", y * 3.0) * about("y", -10.0 - 45.0 * lift)
        turn[f"{side}_shin"] = turn[f"{side}_thigh"] * about("y", 18.0 + 60.0 * lift)
        turn[f"{side}_foot"] = turn[f"{side}_toes"] = heading
    if t_pose_first:
        still = np.arange(frames) == 0
        turn = {n: Rotation.from_quat(np.where(still[:, None], [0.0, 0.0, 0.0, 1.0], q.as_quat())) for n, q in turn.items()}
    root = np.stack((0.3 * t, 0.1 * wave, np.zeros_like(t)), axis=-1)
    joint = _joints(turn, root)
    low = np.min([joint[f"{s}_{b}"][:, 2] - h for s, _ in SIDES for b, h in (("toes", 0.025), ("foot", 0.07))], axis=0)
    return Human(turn, {name: at - low[:, None] * [0.0, 0.0, 1.0] for name, at in joint.items()}, fps)


def _joints(turn: Mapping[str, Rotation], root: np.ndarray) -> dict[str, np.ndarray]:
    joint = {"hips": root}
    for name, (parent, _, origin) in TREE.items():
        if parent:
            joint[name] = joint[parent] + turn[TREE[parent][1]].apply(origin)
    return joint


@dataclass(frozen=True)
class Convention:
    """How one program writes a skeleton.

    Attributes:
        names: Its names by joint; joints that are left out do not exist in it.
        rest: Rotation of bodies from the reference pose to its rest pose; those not named are unturned.
        frames: Joint frames in body frames where no rest pose explains them.
        world: Rotation from Kata's world to the file's.
        unit: Units a metre.
        order: Intrinsic Euler angles.
    """

    names: Mapping[str, str]
    rest: Mapping[str, Rotation]
    frames: Mapping[str, Rotation]
    world: np.ndarray
    unit: float
    order: str = "ZYX"

    def frame(self, body: str) -> Rotation:
        """Return the rotation from a joint's frame to its body's."""
        if body in self.frames:
            return self.frames[body]
        return self.rest.get(body, Rotation.identity()).inv() * Rotation.from_matrix(self.world).inv()


def write_bvh(path: Path, who: Human, how: Convention, missing: Sequence[str] = ()) -> Path:
    """Write a motion as BVH.

    Args:
        path: The file.
        who: The motion.
        how: The skeleton.
        missing: Joints whose bones are written without length, as a faulty exporter does.
    """
    world, lines, channels = Rotation.from_matrix(how.world), ["HIERARCHY"], []
    kinds = " ".join(f"{axis}rotation" for axis in how.order)

    def visit(name: str, depth: int) -> None:
        parent, body, origin = TREE[name]
        pad = "\t" * depth
        offset = how.frame(TREE[parent][1]).inv().apply(origin) * how.unit if parent and name not in missing else np.zeros(3)
        text = " ".join(f"{x:.6f}" for x in offset)
        children = [child for child in how.names if TREE[child][0] == name]
        if name.endswith("_end"):
            lines.extend((f"{pad}End Site", f"{pad}{{", f"{pad}\tOFFSET {text}", f"{pad}}}"))
            return
        lines.extend((f"{pad}{'JOINT' if parent else 'ROOT'} {how.names[name]}", f"{pad}{{", f"{pad}\tOFFSET {text}"))
        lines.append(f"{pad}\tCHANNELS " + (f"3 {kinds}" if parent else f"6 Xposition Yposition Zposition {kinds}"))
        turn = world * who.turn[body] * how.frame(body)
        if parent:
            turn = (world * who.turn[TREE[parent][1]] * how.frame(TREE[parent][1])).inv() * turn
        else:
            channels.append(world.apply(who.joint["hips"]) * how.unit)
        channels.append(turn.as_euler(how.order, degrees=True))
        for child in children:
            visit(child, depth + 1)
        lines.append(f"{pad}}}")

    visit("hips", 0)
    values = np.concatenate(channels, axis=1)
    lines += ["MOTION", f"Frames: {len(values)}", f"Frame Time: {1.0 / who.fps:.7f}"]
    lines += [" ".join(f"{x:.6f}" for x in row) for row in values]
    path.write_text("\n".join(lines) + "\n")
    return path


def _named(trunk: Mapping[str, str], limbs: Mapping[str, str], side: str) -> dict[str, str]:
    """Name all joints; ``side`` holds ``{side}``, ``{Side}``, ``{S}`` or ``{s}``, and ``{part}``."""
    foot = "toes" if "toes" in limbs else "sole"
    kept = ("head_end", *(f"{s}_{part}_end" for s, _ in SIDES for part in ("hand", foot)))
    ends = {name: name for name in kept}
    sided = {
        f"{s}_{part}": side.format(side=s, Side=s.capitalize(), S=s[0].upper(), s=s[0], part=name)
        for s, _ in SIDES
        for part, name in limbs.items()
    }
    names = dict(trunk) | sided | ends
    return {name: names[name] for name in TREE if name in names}


def _limbs(*names: str) -> dict[str, str]:
    return dict(zip(("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toes"), names, strict=False))


_TRUNK = {"hips": "Hips", "spine": "Spine", "chest": "Spine1", "neck": "Neck", "head": "Head"}
_MOTION_BUILDER = _limbs("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")
_LEGS_APART = {f"{s}_{part}": about("x", 20.0 * y) for s, y in SIDES for part in ("thigh", "shin", "foot", "toes")}
_ARMS_DOWN = {f"{s}_{part}": about("x", -90.0 * y) for s, y in SIDES for part in ("upper_arm", "forearm", "hand")}
_ARMS_LOW = {f"{s}_{part}": about("x", -45.0 * y) for s, y in SIDES for part in ("upper_arm", "forearm", "hand")}


def _along_x() -> dict[str, Rotation]:
    """Return joint frames whose x axis lies along the bone, as LAFAN1 has them."""
    frames = {body: about("y", -90.0) for body in ("pelvis", "torso", "head")}
    for side, y in SIDES:
        frames |= {f"{side}_{part}": about("z", 90.0 * y) for part in ("upper_arm", "forearm", "hand")}
        frames |= {f"{side}_{part}": about("y", 90.0) * about("x", 180.0) for part in ("thigh", "shin", "foot", "toes")}
    return frames


CMU = Convention(_named(_TRUNK, _MOTION_BUILDER, "{Side}{part}"), _LEGS_APART, {}, Y_UP, 0.45 / 0.0254)
CONVENTIONS: dict[str, Convention] = {
    "cmu": CMU,
    "mixamo": Convention({k: f"mixamorig:{v}" for k, v in CMU.names.items()}, {}, {}, Y_UP, 100.0),
    "xsens": Convention(
        _named(
            {"hips": "Hips", "spine": "Chest", "chest": "Chest2", "neck": "Neck", "head": "Head"},
            _limbs("Collar", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Toe"),
            "{Side}{part}",
        ),
        {},
        {},
        Y_UP,
        100.0,
        "YXZ",
    ),
    "blender": Convention(
        _named(
            {"hips": "hips", "spine": "spine", "chest": "spine.001", "neck": "neck", "head": "head"},
            _limbs("shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe"),
            "{part}.{S}",
        ),
        _ARMS_LOW,
        {},
        Z_UP,
        1.0,
        "XYZ",
    ),
    "unreal": Convention(
        _named(
            {"hips": "pelvis", "spine": "spine_01", "chest": "spine_02", "neck": "neck_01", "head": "head"},
            _limbs("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball"),
            "{part}_{s}",
        ),
        _ARMS_LOW,
        {},
        Z_UP,
        100.0,
    ),
    "biped": Convention(
        _named(
            {"hips": "Bip01", "spine": "Bip01 Spine", "chest": "Bip01 Spine1", "neck": "Bip01 Neck", "head": "Bip01 Head"},
            _limbs("Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0"),
            "Bip01 {S} {part}",
        ),
        {},
        {},
        Y_UP,
        1.0 / 0.0254,
    ),
    "unknown": Convention({k: k if k.endswith("_end") else f"bone{i}" for i, k in enumerate(CMU.names)}, {}, {}, Y_UP, 1000.0),
    "classic": Convention(
        _named(
            {"hips": "Hips", "spine": "Chest", "chest": "Chest2", "neck": "Neck", "head": "Head"},
            _limbs("Collar", "UpArm", "LowArm", "Hand", "UpLeg", "LowLeg", "Foot"),
            "{Side}{part}",
        ),
        _ARMS_DOWN,
        {},
        Y_UP,
        1.0 / 0.0254,
        "ZXY",
    ),
    "lafan": Convention(
        _named(_TRUNK, _limbs("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "Toe"), "{Side}{part}"),
        {},
        _along_x(),
        Y_UP,
        100.0,
    ),
}
