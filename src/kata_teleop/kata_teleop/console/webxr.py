# SPDX-License-Identifier: Apache-2.0
"""From WebXR's space and hands to Kata's: x forward, y left, z up, and a clutch."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_teleop.console.codec import ControllerFrame, Flag, HeadsetFrame
from kata_teleop.engage.sample import HandSample, HandsSample

__all__ = ["HeadsetReader", "from_webxr"]

_SQUEEZE = 1 << 1
_WRIST, _THUMB_TIP, _INDEX_TIP = 0, 4, 9  # of the 25 joints of a WebXR hand
_PINCH, _OPEN = 0.02, 0.04  # distance of the tips at which a pinch begins and ends [m]
_PRECISE = 0.5  # of the trigger's way
_HALF = float(np.sqrt(0.5))


def from_webxr(pose: FloatArray) -> FloatArray:
    """Return a pose of WebXR's space (x right, y up, z backward) in Kata's axes; both shape (7,)."""
    x, y, z, qx, qy, qz, qw = pose
    return np.array([-z, -x, y, -qz, -qx, qy, qw])


class HeadsetReader:
    """Reads hands from a headset's frames; a bare hand's clutch is its pinch, which needs a memory."""

    def __init__(self) -> None:
        """Start with open hands."""
        self._pinched = {"left": False, "right": False}

    def read(self, frame: HeadsetFrame, stamp: int) -> HandsSample:
        """Return what is seen of the person.

        Args:
            frame: The frame.
            stamp: Its time by the robot's clock [ns].
        """
        hands = {
            "left_hand": self._hand("left", frame.left, Flag.LEFT_CONTROLLER in frame.flags, frame.left_hand),
            "right_hand": self._hand("right", frame.right, Flag.RIGHT_CONTROLLER in frame.flags, frame.right_hand),
        }
        head = from_webxr(frame.head) if Flag.HEAD in frame.flags else None
        return HandsSample(stamp, hands, head)

    def _hand(self, side: str, controller: ControllerFrame, held: bool, joints: FloatArray | None) -> HandSample:
        if joints is not None and not held:
            return HandSample(from_webxr(_as_grip(joints[_WRIST], side)), True, self._pinch(side, joints))
        self._pinched[side] = False
        precise = bool(controller.axes[0] > _PRECISE)
        return HandSample(from_webxr(controller.pose), held, bool(controller.buttons & _SQUEEZE), precise)

    def _pinch(self, side: str, joints: FloatArray) -> bool:
        distance = float(np.linalg.norm(joints[_THUMB_TIP, :3] - joints[_INDEX_TIP, :3]))
        limit = _OPEN if self._pinched[side] else _PINCH
        self._pinched[side] = distance < limit  # NaN opens
        return self._pinched[side]


def _as_grip(wrist: FloatArray, side: str) -> FloatArray:
    """Return a wrist's pose with the axes of a controller's grip: y out of the thumb's side, not of the hand's back.

    A quarter turn about the fingers' direction, z: to the left for the right hand, to the right for the left one.
    """
    x, y, z, w = wrist[3:]
    s = _HALF if side == "right" else -_HALF
    turned = [_HALF * x + s * y, _HALF * y - s * x, _HALF * z + s * w, _HALF * w - s * z]
    return np.array([*wrist[:3], *turned])
