# SPDX-License-Identifier: Apache-2.0
"""A leader arm: another arm's joints, moved by hand, that the robot's joints repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.errors import ConfigError
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_teleop.engage.config import Cause, EngageConfig, Phase
from kata_teleop.engage.hands import EngageStatus, HandStatus
from kata_teleop.engage.machine import EngageMachine

__all__ = ["JointLink", "LeaderArm", "LeaderConfig", "parse_joint_map"]

_TURN = 2.0 * np.pi
_LONGEST = 0.1  # time between samples that motion is granted for [s]
_ARM = "leader"


@dataclass(frozen=True, slots=True)
class JointLink:
    """One joint of the leader and the robot's joint that repeats it: robot = scale · leader + offset [rad].

    Attributes:
        leader: Name of the leader's joint.
        robot: Name of the robot's joint.
        scale: Usually 1 or −1.
        offset: The robot's position where the leader's is 0 [rad].
    """

    leader: str
    robot: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class LeaderConfig:
    """The contract's numbers, as a leader arm has them."""

    max_mismatch: float = param(0.3, unit="rad", low=0.01, high=1.0, doc="Mismatch of any joint beyond which nobody engages.")
    max_silence: float = param(0.15, unit="s", low=0.02, high=2.0, doc="Longest time without the leader's joint states.")
    max_speed: float = param(3.0, unit="rad/s", low=0.1, high=20.0, doc="Speed limit of the joints that are led.")


def parse_joint_map(entries: Sequence[str]) -> tuple[JointLink, ...]:
    """Return links from texts ``LEADER ROBOT [SCALE [OFFSET]]``.

    Raises:
        ConfigError: An entry is of another form, or names a joint twice.
    """
    links = []
    for entry in entries:
        words = entry.split()
        try:
            if not 2 <= len(words) <= 4:
                raise ValueError
            numbers = [float(word) for word in words[2:]]
        except ValueError:
            raise ConfigError(f"joint map {entry!r}", fix="LEADER_JOINT ROBOT_JOINT [SCALE [OFFSET]]") from None
        if not np.isfinite(numbers).all() or (numbers and numbers[0] == 0.0):
            raise ConfigError(f"joint map {entry!r}", fix="finite numbers, and a scale that is not 0")
        links.append(JointLink(words[0], words[1], *numbers))
    for kind in ("leader", "robot"):
        names = [getattr(link, kind) for link in links]
        if len(set(names)) < len(names):
            raise ConfigError(f"the joint map names a {kind}'s joint twice", fix="once each")
    return tuple(links)


class LeaderArm:
    """Makes targets of a leader's joints, by the engage contract.

    Engaging is refused where leader and robot are too far apart, and named apart where a joint is off by whole turns, as
    encoders are that lost count while they were off. From engaging on only the way since counts, so nothing jumps.
    """

    def __init__(self, robot: RobotModel, links: Sequence[JointLink], config: EngageConfig) -> None:
        """Prepare.

        Raises:
            ConfigError: There are no links, or the robot lacks a joint.
        """
        unknown = [link.robot for link in links if link.robot not in robot.layout.names]
        if unknown or not links:
            what = f"the robot has no joint {unknown[0]!r}" if unknown else "no joint is mapped"
            raise ConfigError(
                what, where="leader", fix=f"joint_map: LEADER ROBOT …; the robot has {', '.join(robot.layout.names)}"
            )
        self._robot, self._config, self._links = robot, config, tuple(links)
        self._index = robot.layout.indices([link.robot for link in links])
        self._scale, self._offset = (np.array([getattr(link, kind) for link in links]) for kind in ("scale", "offset"))
        self._machine = EngageMachine(config)
        self._before: FloatArray | None = None
        self._tied: tuple[FloatArray, FloatArray] | None = None
        self._held: FloatArray | None = None
        self._stamp = 0
        self._mismatch = float("nan")
        self.complaint = ""
        """Which joint keeps the leader from engaging, and how far it is off; or empty."""

    @property
    def lost_since(self) -> int | None:
        """Since when it cannot be trusted [ns]; None if it can."""
        return self._machine.lost_since

    def status(self) -> EngageStatus:
        """Return what a person must know."""
        seen = HandStatus(self._before is not None, bool(self._machine.active), self._mismatch)
        return EngageStatus(self._machine.phase, self._machine.cause, self._config.mode, 1.0, False, {_ARM: seen})

    def idle(self, now: int, *, fault: str) -> None:
        """Note that no sample came for too long."""
        self._machine.step(self._machine.active, now, fault=fault)
        self._tied = None

    def step(
        self, positions: Mapping[str, float], stamp: int, wanted: bool, state: JointState | None, now: int, *, refusal: str = ""
    ) -> JointCommand | None:
        """Take the leader's joints.

        Args:
            positions: By the leader's joint names [rad].
            stamp: When they were measured, by the robot's clock [ns].
            wanted: Whether the person wants to be engaged.
            state: The robot's joints; None refuses.
            now: Time [ns].
            refusal: Why nobody may engage, or empty.

        Returns:
            The target; None while not engaged.
        """
        mapped = self._scale * np.array([positions.get(link.leader, np.nan) for link in self._links]) + self._offset
        fault = self._judge(mapped)
        self._before = mapped if not fault else None
        compared = Cause.NO_STATE if state is None else self._compare(mapped, state.position[self._index])
        refusal = refusal or compared
        mismatch = {_ARM: self._mismatch}
        self._machine.step({_ARM} if wanted else set(), now, fault=fault, refusal=refusal, mismatch=mismatch)
        if self._machine.phase is not Phase.ENGAGED or state is None:
            self._tied = None
            return None
        return self._follow(mapped, state, stamp)

    def _judge(self, mapped: FloatArray) -> str:
        if not np.isfinite(mapped).all():
            return Cause.NOT_FINITE
        jumped = self._before is not None and not np.abs(mapped - self._before).max() <= self._config.max_jump_angle
        return Cause.JUMP if jumped else ""

    def _compare(self, mapped: FloatArray, robot: FloatArray) -> str:
        """Note the mismatch; once engaged it counts no more, since only the way since then does."""
        away = mapped - robot
        worst = int(np.argmax(np.abs(away))) if np.isfinite(away).all() else 0
        self._mismatch = float(np.abs(away[worst]))
        turns = np.round(away / _TURN)
        self.complaint = ""
        if self._machine.active:
            return ""
        turned = [k for k in range(len(away)) if turns[k] and abs(away[k] - _TURN * turns[k]) <= 1.0]
        if turned:
            self.complaint = f"{self._links[turned[0]].leader} is off by {turns[turned[0]]:+.0f} turns"
            return Cause.TURNED
        if not self._mismatch <= self._config.max_mismatch:
            self.complaint = f"{self._links[worst].leader} is {away[worst]:+.2f} rad from {self._links[worst].robot}"
        return ""

    def _follow(self, mapped: FloatArray, state: JointState, stamp: int) -> JointCommand:
        if self._tied is None or self._held is None:
            self._held = np.array(self._robot.clamp(state.position))
            self._tied, self._stamp = (mapped, self._held[self._index].copy()), stamp
        elapsed = min(max((stamp - self._stamp) * 1e-9, 0.0), _LONGEST)
        self._stamp = max(stamp, self._stamp)
        goal, most = self._tied[1] + mapped - self._tied[0], self._config.max_turn * elapsed
        held = self._held.copy()
        held[self._index] += np.clip(goal - held[self._index], -most, most)
        self._held = self._robot.clamp(held)
        return JointCommand.at(stamp, self._held, self._robot.stiffness, self._robot.damping)
