# SPDX-License-Identifier: Apache-2.0
"""A gamepad in a person's hands: what it asks for, in one of three modes, while a button is held; one joint is jogged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_teleop.engage.sample import HandSample, HandsSample

__all__ = ["LAYOUTS", "MODES", "GamepadConfig", "GamepadReader", "Intent", "JointJog", "JointWish", "PadLayout", "Twist"]

MODES = ("hand", "base", "joint")
_DEAD = 0.12  # deflection of a stick that is none
_LONGEST = 0.1  # time between two looks that motion is granted for [s]


@dataclass(frozen=True, slots=True)
class PadLayout:
    """Where a driver puts what; axes point right and up, after their sign.

    Attributes:
        axes: Index and sign of left x, left y, right x, right y.
        buttons: Index by name.
    """

    axes: tuple[tuple[int, float], ...]
    buttons: Mapping[str, int]


LAYOUTS: Mapping[str, PadLayout] = MappingProxyType(
    {
        "standard": PadLayout(
            ((0, 1.0), (1, -1.0), (2, 1.0), (3, -1.0)),
            MappingProxyType(
                {"estop": 1, "left": 4, "right": 5, "precise": 7, "mode": 8, "episode": 9, "next": 12, "previous": 13}
            ),
        ),
        "joy": PadLayout(
            ((0, -1.0), (1, 1.0), (2, -1.0), (3, 1.0)),
            MappingProxyType(
                {"estop": 1, "mode": 4, "episode": 6, "precise": 8, "left": 9, "right": 10, "next": 11, "previous": 12}
            ),
        ),
    }
)
"""standard: the Gamepad API's (browsers, and Kata's own reader of Linux devices); joy: ROS's game_controller_node."""


@dataclass(frozen=True)
class GamepadConfig:
    """How fast a gamepad moves what."""

    layout: str = param("standard", choices=tuple(LAYOUTS), doc="Order of axes and buttons in joy.")
    hand_speed: float = param(0.25, unit="m/s", low=0.01, high=2.0, doc="Speed of a hand at full deflection.")
    hand_turn: float = param(1.0, unit="rad/s", low=0.01, high=5.0, doc="Turning speed of a hand at full deflection.")
    base_speed: float = param(0.4, unit="m/s", low=0.01, high=3.0, doc="Speed of the base at full deflection.")
    base_turn: float = param(0.6, unit="rad/s", low=0.01, high=3.0, doc="Turning speed of the base at full deflection.")
    joint_speed: float = param(0.6, unit="rad/s", low=0.01, high=3.0, doc="Speed of a joint at full deflection.")


@dataclass(frozen=True, slots=True)
class Twist:
    """Velocity that is wished of the base: forward, left [m/s], turn to the left [rad/s]."""

    forward: float
    left: float
    turn: float


@dataclass(frozen=True, slots=True)
class JointWish:
    """One joint to be moved: whose hand's arm, which of its joints, how fast [rad/s]."""

    hand: str
    index: int
    velocity: float


@dataclass(frozen=True, slots=True)
class Intent:
    """What the gamepad asks for now.

    Attributes:
        hands: Hands that it leads; clutched in hand mode alone.
        twist: Of the base; None outside base mode, or while nothing is held.
        joint: The joint that moves; None outside joint mode, or while nothing is held.
        mode: One of `MODES`.
        estop: Whether the stop button was just pressed.
        episode: Whether the episode button was just pressed.
    """

    hands: HandsSample
    twist: Twist | None
    joint: JointWish | None
    mode: str
    estop: bool
    episode: bool


class GamepadReader:
    """Integrates sticks to hands; a button that is held enables, letting go stops."""

    def __init__(self, config: GamepadConfig) -> None:
        """Start in hand mode."""
        self._config, self._layout = config, LAYOUTS[config.layout]
        self._hands: dict[str, FloatArray] = {h: np.array([0, 0, 0, 0, 0, 0, 1.0]) for h in ("left_hand", "right_hand")}
        self._before: Mapping[str, bool] = {}
        self._mode = self._index = 0
        self._stamp: int | None = None

    def step(self, axes: Sequence[float], buttons: Sequence[float], stamp: int) -> Intent:
        """Take one state of the gamepad.

        Args:
            axes: −1 to 1, by the layout; what is missing or not finite is 0.
            buttons: 0 to 1, as above.
            stamp: When it was, by the robot's clock [ns].
        """
        elapsed = 0.0 if self._stamp is None else min(max((stamp - self._stamp) * 1e-9, 0.0), _LONGEST)
        self._stamp = stamp if self._stamp is None else max(stamp, self._stamp)
        sticks = [self._stick(axes, index, sign) for index, sign in self._layout.axes]
        held = {name: i < len(buttons) and bool(buttons[i] > 0.5) for name, i in self._layout.buttons.items()}
        fresh = {name for name, down in held.items() if down and not self._before.get(name, True)}
        self._before = held
        self._choose(fresh)
        mode = MODES[self._mode]
        enabled = [side for side in ("left", "right") if held[side]]
        if mode == "hand":
            for side in enabled:
                self._move(f"{side}_hand", sticks, elapsed)
        return Intent(
            hands=self._sample(held, mode == "hand", stamp),
            twist=self._twist(sticks) if mode == "base" and enabled else None,
            joint=self._joint(f"{enabled[0]}_hand", sticks) if mode == "joint" and enabled else None,
            mode=mode,
            estop="estop" in fresh,
            episode="episode" in fresh,
        )

    @staticmethod
    def _stick(axes: Sequence[float], index: int, sign: float) -> float:
        value = sign * axes[index] if index < len(axes) else 0.0
        return float(np.clip(value, -1.0, 1.0)) if abs(value) > _DEAD else 0.0  # NaN is no deflection

    def _choose(self, fresh: set[str]) -> None:
        if "mode" in fresh:
            self._mode = (self._mode + 1) % len(MODES)
        self._index = max(0, self._index + ("next" in fresh) - ("previous" in fresh))

    def _move(self, hand: str, sticks: Sequence[float], elapsed: float) -> None:
        left_x, left_y, right_x, right_y = sticks
        pose, speed = self._hands[hand].copy(), self._config.hand_speed * elapsed
        pose[:3] += speed * np.array([left_y, -left_x, right_y])
        turn = pin.exp3(np.array([0.0, 0.0, -right_x * self._config.hand_turn * elapsed]))
        pose[3:] = pin.Quaternion(turn @ pin.Quaternion(pose[3:].copy()).toRotationMatrix()).normalized().coeffs()
        self._hands[hand] = pose

    def _sample(self, held: Mapping[str, bool], leads: bool, stamp: int) -> HandsSample:
        hands = {
            f"{side}_hand": HandSample(self._hands[f"{side}_hand"], True, leads and held[side], held["precise"])
            for side in ("left", "right")
        }
        return HandsSample(stamp, hands)

    def _twist(self, sticks: Sequence[float]) -> Twist:
        speed = self._config.base_speed
        return Twist(speed * sticks[1], -speed * sticks[0], -self._config.base_turn * sticks[2])

    def _joint(self, hand: str, sticks: Sequence[float]) -> JointWish:
        return JointWish(hand, self._index, self._config.joint_speed * sticks[1])


class JointJog:
    """Makes targets of wishes for single joints, beginning from where the robot is."""

    def __init__(self, robot: RobotModel) -> None:
        """Prepare for a robot whose description names its hands."""
        self._robot = robot
        self._arms = {hand: robot.layout.indices(spec.joints) for hand, spec in robot.description.hands.items()}
        self._position: FloatArray | None = None
        self._stamp = 0

    def release(self) -> None:
        """Forget the posture; the next wish begins from where the robot then is."""
        self._position = None

    def step(self, wish: JointWish, measured: JointState, stamp: int) -> JointCommand | None:
        """Return the target for a wish at a time [ns]; None for an arm that the robot lacks, or a state that is not finite."""
        arm = self._arms.get(wish.hand)
        if arm is None or not np.isfinite(measured.position).all():
            return None
        if self._position is None:
            self._position, self._stamp = self._robot.clamp(measured.position), stamp
        elapsed = min(max((stamp - self._stamp) * 1e-9, 0.0), _LONGEST)
        self._stamp = max(stamp, self._stamp)
        moved = self._position.copy()
        moved[arm[wish.index % len(arm)]] += wish.velocity * elapsed
        self._position = self._robot.clamp(moved)
        return JointCommand.at(stamp, self._position, self._robot.stiffness, self._robot.damping)
