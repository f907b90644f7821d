# SPDX-License-Identifier: Apache-2.0
"""A whole human from head and hands, the three things that a headset and two controllers tell.

The person is taken to stand upright in the first sample, which gives the size. Feet and pelvis follow the head on
a leash: within it the body leans, bends its knees and turns its trunk; beyond it the whole person glides along.
Elbows hang as relaxed ones do. What is made up depends on the sample and on where the leash was, not on time.
"""

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.frames import BODIES, HumanFrames
from kata_retarget.skeleton import t_pose

__all__ = ["UpperBody", "hinge_of", "is_upper_only"]

_ARM = (0.28, 0.26)
"""Upper arm and forearm of a person of usual size [m] (Winter 2009, figure 4.1, for 1.75 m with the T-pose of frames)."""

_ELBOW_POLE = np.array([-0.4, 0.5, -1.0])
"""Where a relaxed left elbow points to, in the chest's axes: down, outwards and a little back."""

_LEAST_BEND = 0.02  # a straight limb keeps this share of its length as sag, so that its plane is known
_REST = dict(zip(BODIES, t_pose(0).position, strict=True))
_HEAD = float(_REST["head"][2])
_SIZES = (0.5, 1.5)  # of people, over the usual one's; a head outside this is not that of a person who stands
_LEASH = 0.25  # how far the head may be from over the feet before they come along [m]
_TURN_LEASH = 0.7  # how far the head may be turned against the pelvis before it comes along [rad]
_PELVIS_SHARE = 0.4  # share of the head's way that the pelvis goes when the body leans
_KNEE_SHARE = 0.8  # share of the head's way down that is made by the knees
_LOWEST_PELVIS = 0.35  # of the standing pelvis' height
_CHEST_SHARE = 0.5  # share of the head's turn that the chest makes
_CHEST = float((_REST["torso"] - _REST["pelvis"])[2] / (_REST["head"] - _REST["pelvis"])[2])
_KNEE_POLE = np.array([1.0, 0.0, 0.0])
_SIDES = (("left", 1.0), ("right", -1.0))
_SHOULDER = np.array([0.0, 0.18, 0.0])  # the left one from the thorax, which is at its height [m]
_HANGING = np.array([0.08, 0.06, -0.5])  # a relaxed left wrist from its shoulder [m]

_Vectors = dict[str, FloatArray]


def is_upper_only(frames: HumanFrames) -> bool:
    """Return whether a source sees a head, but knows no pelvis at all."""
    return "pelvis" not in frames.names and "head" in frames.names


class UpperBody:
    """Completes samples of head and hands; the first one sets the person's size."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._size = 0.0
        self._feet: FloatArray = np.zeros(2)
        self._yaw = 0.0
        self._hands: dict[str, tuple[FloatArray, FloatArray]] = {}

    def lost(self, frames: HumanFrames) -> tuple[str, ...]:
        """Return ``lost_…`` for each hand that was seen before and is not in this sample."""
        return tuple(f"lost_{hand}" for hand in self._hands if frames.find(hand) is None)

    def complete(self, frames: HumanFrames) -> HumanFrames:
        """Return the sample with all bodies; if the head is lost, all have confidence 0."""
        row = frames.find("head")
        if row is None:
            return self._with(frames, {}, {})
        head = frames.position[row]
        heading = _yaw_of(_matrix(frames.orientation_xyzw[row]))
        if not self._size:
            self._size = float(np.clip(head[2] / _HEAD, *_SIZES))
            self._feet, self._yaw = head[:2].copy(), heading
        self._pull(head, heading)
        return self._with(frames, *self._bodies(frames, head, heading))

    def _pull(self, head: FloatArray, heading: float) -> None:
        """Let feet and pelvis come along where the leash is taut."""
        away = head[:2] - self._feet
        distance = float(np.linalg.norm(away))
        if distance > _LEASH * self._size:
            self._feet = self._feet + away * (1.0 - _LEASH * self._size / distance)
        turn = _wrapped(heading - self._yaw)
        self._yaw += turn - float(np.clip(turn, -_TURN_LEASH, _TURN_LEASH))

    def _bodies(self, frames: HumanFrames, head: FloatArray, heading: float) -> tuple[_Vectors, _Vectors]:
        """Return positions and orientations (matrices) by body."""
        stands = self._size * float(_REST["pelvis"][2])
        down = max(0.0, self._size * _HEAD - head[2])
        pelvis = np.append(
            self._feet + _PELVIS_SHARE * (head[:2] - self._feet), max(stands - _KNEE_SHARE * down, _LOWEST_PELVIS * stands)
        )
        up = (head - pelvis) / max(float(np.linalg.norm(head - pelvis)), 1e-6)
        hips = pin.utils.rotate("z", self._yaw)
        facing = self._yaw + _CHEST_SHARE * _wrapped(heading - self._yaw)
        chest = pin.Quaternion.FromTwoVectors(np.array([0.0, 0.0, 1.0]), up).toRotationMatrix() @ pin.utils.rotate("z", facing)
        row = frames.names.index("head")
        place = {"pelvis": pelvis, "head": head, "torso": pelvis + _CHEST * (head - pelvis)}
        turn = {"pelvis": hips, "torso": chest, "head": _matrix(frames.orientation_xyzw[row])}
        for side, sign in _SIDES:
            self._add_leg(side, pelvis, hips, place, turn)
            self._add_arm(side, sign, frames, chest, place, turn)
        return place, turn

    def _add_leg(self, side: str, pelvis: FloatArray, hips: FloatArray, place: _Vectors, turn: _Vectors) -> None:
        thigh, shin, foot, toes = (f"{side}_{part}" for part in ("thigh", "shin", "foot", "toes"))
        lengths = tuple(self._size * float(np.linalg.norm(_REST[b] - _REST[a])) for a, b in ((thigh, shin), (shin, foot)))
        floor = np.append(self._feet, 0.0)
        place[thigh] = pelvis + self._size * hips @ (_REST[thigh] - _REST["pelvis"])
        place[foot] = floor + self._size * hips @ _REST[foot]
        place[toes] = floor + self._size * hips @ _REST[toes]
        place[shin] = hinge_of(place[thigh], place[foot], (lengths[0], lengths[1]), hips @ _KNEE_POLE)
        turn |= dict.fromkeys((thigh, shin, foot, toes), hips)

    def _add_arm(self, side: str, sign: float, frames: HumanFrames, chest: FloatArray, place: _Vectors, turn: _Vectors) -> None:
        """Add an arm; one whose hand is not seen keeps its posture against the chest, at first a hanging one."""
        mirror, upper, lower, hand = np.array([1.0, sign, 1.0]), f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand"
        shoulder = place["torso"] + chest @ (self._size * mirror * _SHOULDER)
        row = frames.find(hand)
        if row is not None:
            wrist, palm = frames.position[row], _matrix(frames.orientation_xyzw[row])
            self._hands[hand] = chest.T @ (wrist - shoulder), chest.T @ palm
        own = self._hands.get(hand, (self._size * mirror * _HANGING, _hanging_turn(sign)))
        wrist = shoulder + chest @ own[0]
        lengths = self._size * _ARM[0], self._size * _ARM[1]
        place[upper], place[hand], turn[hand] = shoulder, wrist, chest @ own[1]
        place[lower] = hinge_of(shoulder, wrist, lengths, chest @ (mirror * _ELBOW_POLE))
        turn[upper] = turn[lower] = _arm_turn(place[lower] - shoulder, wrist - place[lower], sign)

    def _with(self, frames: HumanFrames, place: _Vectors, turn: _Vectors) -> HumanFrames:
        nowhere, upright = np.zeros(3), np.eye(3)
        position = np.array([place.get(body, nowhere) for body in BODIES])
        quaternions = np.array([pin.Quaternion(turn.get(body, upright)).coeffs() for body in BODIES])
        confidence = np.array([float(body in place) for body in BODIES])
        return HumanFrames(frames.stamp, frames.source, frames.engaged, BODIES, position, quaternions, confidence)


def _arm_turn(upper: FloatArray, lower: FloatArray, sign: float) -> FloatArray:
    """Return the upper arm's orientation: along itself in y, about the elbow's axis in z; the left arm has sign 1."""
    along = sign * upper / np.linalg.norm(upper)
    axis = -sign * np.cross(upper, lower)
    axis = axis - (axis @ along) * along
    axis /= max(float(np.linalg.norm(axis)), 1e-9)
    return np.stack([np.cross(along, axis), along, axis], axis=1)


def _hanging_turn(sign: float) -> FloatArray:
    """Return the orientation of a hand that hangs with the palm to the thigh: the T-pose's, lowered."""
    turn: FloatArray = pin.utils.rotate("x", -sign * np.pi / 2.0)
    return turn


def _matrix(quaternion: FloatArray) -> FloatArray:
    rotation: FloatArray = pin.Quaternion(quaternion.copy()).normalized().toRotationMatrix()
    return rotation


def _yaw_of(rotation: FloatArray) -> float:
    """Return the heading of a body's x axis [rad]; of its left side where it looks straight up or down."""
    if np.hypot(rotation[0, 0], rotation[1, 0]) > 0.3:
        return float(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(np.arctan2(-rotation[0, 1], rotation[1, 1]))


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2.0 * np.pi) - np.pi)


def hinge_of(root: FloatArray, end: FloatArray, lengths: tuple[float, float], pole: FloatArray) -> FloatArray:
    """Return the place of the hinge (elbow or knee), shape (3,), [m].

    Args:
        root: Shoulder or hip, shape (3,), [m].
        end: Wrist or ankle, shape (3,), [m]; one out of reach is pointed at.
        lengths: Of the first and the second bone [m].
        pole: Direction to which the hinge points, shape (3,).
    """
    first, second = lengths
    way = end - root
    distance = float(np.linalg.norm(way))
    along = way / distance if distance > 1e-6 else np.array([0.0, 0.0, -1.0])
    reach = float(np.clip(distance, abs(first - second) + 1e-3, (first + second) * (1.0 - _LEAST_BEND)))
    side = pole - (pole @ along) * along
    if np.linalg.norm(side) < 1e-6:
        side = np.array([along[2], 0.0, -along[0]]) if abs(along[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    across = side / np.linalg.norm(side)
    forward = (first**2 - second**2 + reach**2) / (2.0 * reach)
    hinge: FloatArray = root + forward * along + np.sqrt(max(0.0, first**2 - forward**2)) * across
    return hinge
