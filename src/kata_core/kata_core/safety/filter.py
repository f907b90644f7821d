# SPDX-License-Identifier: Apache-2.0
"""The safety filter: every command to the robot is decided here."""

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.joints import JointCommand, JointState
from kata_core.robot import RobotModel
from kata_core.safety.config import SafetyConfig
from kata_core.safety.intake import Received, state_fault, target_fault
from kata_core.safety.limits import JointLimits, braking_velocity
from kata_core.verdict import JointFlag, Reason, Status, Verdict

__all__ = ["SafetyFilter"]

_FLAG_REASONS = (
    (JointFlag.POSITION, Reason.POSITION_LIMIT),
    (JointFlag.VELOCITY, Reason.VELOCITY_LIMIT),
    (JointFlag.ACCELERATION, Reason.ACCELERATION_LIMIT),
)


class SafetyFilter:
    """Turns targets into commands that keep every limit; holds when in doubt.

    The filter has no clock and does no I/O: the same calls give the same verdicts, bit for bit. It moves
    a commanded position of its own in ticks of 1 / rate; a late tick slows the motion, never speeds it up.
    """

    def __init__(self, robot: RobotModel, config: SafetyConfig) -> None:
        """Prepare for a robot; nothing is commanded before the first joint state."""
        self._robot = robot
        self._config = config
        self._limits = JointLimits.of(robot, config)
        self._joints = len(robot.layout)
        self._none = np.zeros(self._joints, dtype=np.uint8)
        self._stop_reason = ""
        self._last: Verdict | None = None
        self._forget()

    def _forget(self) -> None:
        """Start anew from whatever is measured next."""
        self._anchored = False
        self._position: FloatArray = np.asarray(self._robot.rest)
        self._velocity: FloatArray = np.zeros(self._joints)
        self._engaged_at: int | None = None
        self._warming = False
        self._followed = 0

    def stop(self, reason: str = Reason.EMERGENCY_STOP) -> None:
        """Stop at the next tick and stay stopped until `reset`."""
        self._stop_reason = reason

    def reset(self) -> str:
        """End an emergency stop and restart from the measured position.

        Returns:
            Empty if done, else why it was refused.
        """
        if self._last is None or {Reason.NO_STATE, Reason.STALE_STATE} & set(self._last.reasons):
            return "joint states are missing or stale"
        self._stop_reason = ""
        self._forget()
        return ""

    def step(self, state: JointState | None, target: Received | None, now: int) -> Verdict:
        """Decide one command; never raises.

        Args:
            state: The newest joint state, None if there never was one.
            target: The newest target, None if there never was one.
            now: Time of the tick [ns]. A tick that comes too early repeats the last verdict.
        """
        elapsed = now - self._last.stamp if self._last else 0
        if self._last and 0 <= elapsed < 0.5e9 * self._limits.period and not self._stop_reason:
            return self._last
        trouble = state_fault(state, self._joints, now, self._config)
        if elapsed < 0:
            self._forget()
            trouble = trouble or Reason.CLOCK_JUMP
        measured = None if state is None or trouble else state
        if measured is not None:
            trouble = self._anchor(measured)
        if self._stop_reason:
            return self._damp(measured, target, now, trouble)
        fault = trouble or target_fault(target, self._joints, self._followed, now, self._config)
        if fault or target is None or target.command is None:
            return self._hold(measured, target, now, fault)
        return self._follow(measured, target, target.command, now)

    def _anchor(self, measured: JointState) -> str:
        """Tie the commanded position to the robot; return a reason if it had been torn off."""
        if self._anchored and np.abs(self._position - measured.position).max() <= self._config.max_tracking_error:
            return ""
        torn = self._anchored
        self._forget()
        self._anchored, self._position = True, measured.position
        return Reason.TRACKING_ERROR if torn else ""

    def _follow(self, measured: JointState | None, target: Received, command: JointCommand, now: int) -> Verdict:
        if self._engaged_at is None:
            mismatch = float(np.abs(command.position - self._position).max())
            if not mismatch <= self._config.engage_refusal:
                return self._hold(measured, target, now, Reason.MISMATCH)
            self._engaged_at = now
            self._warming = mismatch > self._config.engage_tolerance
        self._followed = command.stamp
        goal = np.clip(command.position, self._limits.lower, self._limits.upper)
        step = self._limits.step(self._position, self._velocity, self._smooth(goal, command.velocity), self._warm_in_cap(now))
        self._position, self._velocity = step.position, step.velocity
        flags = step.flags | (JointFlag.POSITION * (goal != command.position)).astype(np.uint8)
        reasons = tuple(name for flag, name in _FLAG_REASONS if (flags & flag).any())
        if self._warming:
            reasons = (Reason.WARMING_IN, *reasons)
        status = Status.LIMITED if reasons else Status.FOLLOWING
        return self._verdict(status, reasons, flags, self._compose(measured, command.stamp), target, now)

    def _warm_in_cap(self, now: int) -> float:
        """Return the velocity cap after a mismatched engage, opening linearly to none [rad/s]."""
        if not self._warming or self._engaged_at is None:
            return np.inf
        share = (now - self._engaged_at) * 1e-9 / self._config.warm_in_time
        self._warming = share < 1.0
        slow, full = self._config.warm_in_velocity, self._config.max_velocity
        return slow + (full - slow) * min(share, 1.0)

    def _smooth(self, goal: FloatArray, velocity: FloatArray) -> FloatArray:
        """Return where to be one tick on: critically damped, and slow enough to stop at the goal.

        A source's samples come at a lower rate than ticks; ẍ = ω² (goal − x) + 2 ω (ẋ_goal − ẋ) with
        ω = 1 / smoothing joins them without steps in velocity.
        """
        period, constant = self._limits.period, self._config.smoothing
        if constant <= period:
            return goal
        way = goal - self._position
        wanted = np.clip(velocity, -self._limits.velocity, self._limits.velocity)
        change = period / constant * (way / constant + 2.0 * (wanted - self._velocity))
        stoppable = braking_velocity(np.abs(way), self._limits.acceleration, period) + np.abs(wanted)
        smooth: FloatArray = self._position + period * np.clip(self._velocity + change, -stoppable, stoppable)
        return smooth

    def _hold(self, measured: JointState | None, target: Received | None, now: int, reason: str) -> Verdict:
        """Brake within limits and stay; only a new engage moves the robot again."""
        self._engaged_at, self._warming = None, False
        step = self._limits.step(self._position, self._velocity, self._position)
        self._position, self._velocity = step.position, step.velocity
        idle = reason == Reason.NO_TARGET
        stamp = target.command.stamp if target and target.command else now
        command = self._compose(measured, stamp) if self._anchored else None
        return self._verdict(Status.STANDBY if idle else Status.HOLDING, (reason,), step.flags, command, target, now)

    def _damp(self, measured: JointState | None, target: Received | None, now: int, trouble: str) -> Verdict:
        """Command damping alone, without stiffness, from where the robot is."""
        self._engaged_at, self._velocity = None, np.zeros(self._joints)
        if measured is not None:
            self._position = measured.position
        rest = np.zeros(self._joints)
        command = JointCommand(now, self._position, rest, rest, rest, self._robot.damping)
        reasons = (self._stop_reason, trouble) if trouble else (self._stop_reason,)
        return self._verdict(Status.STOPPED, reasons, self._none, command if self._anchored else None, target, now)

    def _compose(self, measured: JointState | None, stamp: int) -> JointCommand:
        """Return the commanded position with default gains and, if asked for, gravity compensation."""
        effort = np.zeros(self._joints)
        if self._config.compensate_gravity:
            weight = self._robot.gravity_effort(self._position if measured is None else measured.position)
            effort = np.clip(weight, -self._robot.max_effort, self._robot.max_effort)
        return JointCommand(stamp, self._position, self._velocity, effort, self._robot.stiffness, self._robot.damping)

    def _verdict(
        self,
        status: Status,
        reasons: tuple[str, ...],
        flags: NDArray[np.uint8],
        command: JointCommand | None,
        target: Received | None,
        now: int,
    ) -> Verdict:
        source = target.command.stamp if target and target.command else 0
        self._last = Verdict(status, reasons, flags, command, source, target.received if target else 0, now)
        return self._last
