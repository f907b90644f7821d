# SPDX-License-Identifier: Apache-2.0
"""The safety filter: every command to the robot is decided here."""

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag, Reason, Status, Verdict
from kata_safety.config import SafetyConfig
from kata_safety.feet import Feet
from kata_safety.follower import Follower, Moving
from kata_safety.guard.guard import Guard, GuardedStep, Wish
from kata_safety.guard.shapes import Shapes, load_shapes
from kata_safety.intake import Received, target_fault
from kata_safety.recollection import Recollection
from kata_safety.senses import NOTHING, Senses
from kata_safety.stops.latch import Latch
from kata_safety.stops.stability import steady
from kata_safety.stops.table import StopCategory, StopTable
from kata_safety.straying import distance, load_kernels
from kata_safety.tether import Tether

__all__ = ["SafetyFilter"]

_FLAG_REASONS = (
    (int(JointFlag.POSITION), Reason.POSITION_LIMIT),
    (int(JointFlag.VELOCITY), Reason.VELOCITY_LIMIT),
    (int(JointFlag.ACCELERATION), Reason.ACCELERATION_LIMIT),
    (int(JointFlag.EFFORT), Reason.EFFORT_LIMIT),
)

_LED = 0.1
"""Change of a wished velocity for balance that is told [rad/s]."""

_ARRIVED = 0.02
"""Distance from the rest posture at which a retreat has arrived [rad]."""


class SafetyFilter:
    """Turns targets into commands that keep every limit; holds when in doubt, stops when something is wrong.

    The filter has no clock and does no I/O: the same calls give the same verdicts, bit for bit. It moves
    a commanded position of its own in ticks of 1 / rate; a late tick slows the motion, never speeds it up.
    """

    def __init__(
        self,
        robot: RobotModel,
        config: SafetyConfig,
        *,
        shapes: Shapes | None = None,
        table: StopTable | None = None,
        feet: Feet | None = None,
    ) -> None:
        """Prepare for a robot; nothing is commanded before the first joint state.

        Args:
            robot: The robot.
            config: Limits and deadlines.
            shapes: What must stay apart; None reads it from the robot's folder.
            table: What answers which cause; None reads ``config/safety.yaml``.
            feet: Keep a robot with a free base standing; None for a base that is held.
        """
        self._robot, self._config, self._feet, self._unsteady = robot, config, feet, False
        self._stands: tuple[JointState | None, BaseMotion | None] = (None, None)
        self._refuge = robot.rest if feet is None else feet.refuge
        self.guard = Guard(robot, load_shapes(robot) if shapes is None else shapes, config) if feet is None else feet.guard
        most = np.full(len(robot.layout), config.max_tracking_error) if feet is None else feet.tracking
        self._tether = Tether(robot, config, self.guard, most)
        self._latch = Latch(StopTable.load() if table is None else table, config)
        self._follower = Follower(self.guard.limits, config)
        self._joints = len(robot.layout)
        self._none = self._blamed = np.zeros(self._joints, dtype=np.uint8)
        self._least_effort = -robot.max_effort
        self._last: Verdict | None = None
        load_kernels(robot.rest)
        if feet is not None:  # compares wishes, which are no read-only arrays
            distance(np.array(robot.rest), np.array(robot.rest))

    def _forget(self) -> None:
        """Start anew from whatever is measured next."""
        self._tether.tear()
        self._release()

    def _release(self) -> None:
        self._follower.release()
        self._follower.forget()

    def recollect(self) -> Recollection:
        """Return what finds out from recorded verdicts what this filter would remember, so that it can `resume` from there."""
        return Recollection(self.guard.limits, self._config)

    def resume(self, verdict: Verdict, memory: Recollection) -> None:
        """Take up where a recorded verdict left off, so that a recording can be replayed from its middle.

        Args:
            verdict: The verdict, with its command.
            memory: Of the verdicts up to this one.
        """
        if verdict.command is None:
            return
        self._tether.resume(verdict.command, verdict.state_stamp)
        self._last = verdict
        self._follower.adopt(memory.follower)

    def stop(self, reason: str = Reason.EMERGENCY_STOP) -> None:
        """Stop at the next tick, as the table says for this cause, and stay stopped until `reset`."""
        self._latch.ask(reason)

    def reset(self) -> str:
        """End a stop; the next target is compared with the robot anew.

        Returns:
            Empty if done, else why it was refused.
        """
        if self._last is None or {Reason.NO_STATE, Reason.STALE_STATE} & set(self._last.reasons):
            return "joint states are missing or stale"
        refused = self._latch.release()
        if not refused:  # the command stays where it is: held, or where the damped robot was measured
            self._release()
        return refused

    def step(self, state: JointState | None, target: Received | None, now: int, senses: Senses = NOTHING) -> Verdict:
        """Decide one command; never raises.

        Args:
            state: The newest joint state, None if there never was one.
            target: The newest target, None if there never was one.
            now: Time of the tick [ns]. A tick that comes too early repeats the last verdict.
            senses: What else is known.
        """
        elapsed = now - self._last.stamp if self._last else 0
        if self._last and 0 <= elapsed < 0.5e9 * self.guard.limits.period:
            return self._early(self._last, (state, target, now), senses)
        trouble, limp, strays = self._tether.fault(state, now), False, False
        if not 0 <= elapsed <= self._config.max_tick_gap * 1e9:
            self._forget()
            self._tether.doubts = self._none
            trouble = Reason.CLOCK_JUMP  # which is also why the joint state seems old, or from the future
        measured, trouble = self._stand(None if state is None or trouble else state, trouble, senses)
        if measured is not None:
            limp, strays = self._tether.anchor(measured), self._tether.strays(measured)
        context = (state, target, now)
        waiting = self._latch.notice(self._causes(trouble, strays, now), senses, now)
        self._blamed = self._tether.doubts if strays else self._none if self._latch.stop is None else self._blamed
        if self._latch.stop is not None:
            return self._stopping(measured, trouble, context, limp=limp)
        if limp:
            return self._limp(context)
        fault = trouble or waiting or target_fault(target, self._joints, self._follower.stamp, now, self._config)
        if fault or target is None or target.command is None:
            return self._hold(fault, context)
        return self._follow(target.command, context)

    def _stand(self, measured: JointState | None, trouble: str, senses: Senses) -> tuple[JointState | None, str]:
        """Note how a robot on its feet stands; before that is known, nothing is commanded."""
        if self._feet is None:
            return measured, trouble
        self._stands, self._unsteady = (measured, senses.motion), not steady(senses.base, self._config)
        unknown = senses.motion is None and not self._tether.anchored
        return (None, trouble or Reason.NO_BASE) if unknown else (measured, trouble)

    def _causes(self, trouble: str, strays: bool, now: int) -> tuple[str, ...]:
        """Return what of the joint state stops the robot."""
        tether, longest = self._tether, self._config.state_loss * 1e9
        lost = tether.anchored and trouble != Reason.CLOCK_JUMP and not now - tether.seen <= longest
        return (*((Reason.LOST_STATE,) if lost else ()), *((Reason.TRACKING_ERROR,) if strays else ()))

    def _early(self, last: Verdict, context: "_Context", senses: Senses) -> Verdict:
        """Repeat the last verdict, since a tick more would speed the motion up; only damping cannot wait."""
        if not (self._latch.pending or senses.alarms):
            return last
        before = self._latch.stop
        self._latch.notice((), senses, context[2])
        stop = self._latch.stop
        news = stop is not before and stop is not None and stop.category is StopCategory.DAMP
        return self._damp(None, "", context) if news else last

    def _follow(self, command: JointCommand, context: "_Context") -> Verdict:
        now = context[2]
        if not self._follower.engage(command, self.guard.position, now):
            return self._hold(Reason.MISMATCH, context)
        wanted, lag = self._follower.follow(command, self._moving, now), self._tether.pace(context[0])
        cap = min(wanted.cap, lag, self._config.crawl_velocity if self._unsteady else np.inf)
        velocity, balance = self._led(wanted.velocity, command.position, cap)
        step = self.guard.step(Wish(velocity, cap))
        flags = step.flags | wanted.flags
        acted = 0
        for bits in set(flags.tobytes()):
            acted |= bits
        lags = (*((Reason.ROBOT_LAGS,) if lag < np.inf else ()), *balance)
        limits = tuple([name for flag, name in _FLAG_REASONS if acted & flag])
        reasons = wanted.reasons + lags + limits + step.reasons
        status = Status.LIMITED if reasons else Status.FOLLOWING
        return self._verdict(status, reasons, flags, self._compose(step, wanted.stamp), context)

    def _led(self, wanted: FloatArray, goal: FloatArray, cap: float) -> tuple[FloatArray, tuple[str, ...]]:
        """Return a wish that keeps a robot on its feet, and why, if it differs; of a base that is held, the wish itself."""
        if self._feet is None:
            return wanted, ()
        led = self._feet.lead(wanted, goal, cap)
        return led, (Reason.BALANCE,) if self._unsteady or distance(led, wanted) > _LED else ()

    def _hold(self, reason: str, context: "_Context") -> Verdict:
        """Brake within limits and stay; only a new engage moves the robot again."""
        _, target, now = context
        self._follower.release()
        status = Status.STANDBY if reason == Reason.NO_TARGET else Status.HOLDING
        if not self._tether.anchored:
            return self._verdict(status, (reason,), self._none, None, context)
        step = self.guard.halt()
        return self._verdict(status, (reason, *step.reasons), step.flags, self._compose(step, _stamp(target, now)), context)

    def _limp(self, context: "_Context") -> Verdict:
        """Let go for a tick before the commanded motion begins anew elsewhere: stiff joints would be thrown there."""
        command = self._damping(self.guard.velocity, _stamp(context[1], context[2]))
        return self._verdict(Status.HOLDING, (Reason.CLOCK_JUMP,), self._none, command, context)

    def _stopping(self, measured: JointState | None, trouble: str, context: "_Context", *, limp: bool) -> Verdict:
        """Stop as the latched category says."""
        self._follower.release()
        stop, now = self._latch.stop, context[2]
        if stop is None or stop.category is StopCategory.DAMP or limp or not self._tether.anchored:
            return self._damp(measured, trouble, context)
        reasons = tuple(dict.fromkeys(r for r in (stop.reason, trouble) if r))
        if stop.category is StopCategory.RETREAT:
            step = self._retreat()
            if self._arrived() or now - stop.since > self._config.retreat_time * 1e9:
                self._latch.harden(now)
            return self._verdict(Status.STOPPING, reasons, step.flags, self._compose(step, now), context)
        step = self.guard.halt()
        status = Status.STOPPING if step.velocity.any() else Status.STOPPED
        return self._verdict(status, reasons, step.flags, self._compose(step, now), context)

    def _retreat(self) -> GuardedStep:
        way = self._follower.approach(self._refuge, np.zeros(self._joints), self._moving)
        cap = self._config.retreat_velocity
        return self.guard.step(Wish(self._led(way, self._refuge, cap)[0], cap))

    @property
    def _moving(self) -> Moving:
        return Moving(self.guard.position, self.guard.velocity)

    def _arrived(self) -> bool:
        if self._feet is not None:
            return self._feet.arrived(_ARRIVED)
        return bool(np.abs(self.guard.position - self._refuge).max() <= _ARRIVED)

    def _damp(self, measured: JointState | None, trouble: str, context: "_Context") -> Verdict:
        """Command damping alone, without stiffness, from where the robot is."""
        if measured is not None:
            self._tether.place(measured)
        stop, command = self._latch.stop, self._damping(np.zeros(self._joints), context[2])
        reasons = tuple(dict.fromkeys(r for r in (stop.reason if stop else "", trouble) if r))
        return self._verdict(Status.STOPPED, reasons, self._none, command if self._tether.anchored else None, context)

    def _damping(self, velocity: FloatArray, stamp: int) -> JointCommand:
        none = np.zeros(self._joints)
        return JointCommand(stamp, self.guard.position, velocity, none, none, self._robot.damping)

    def _compose(self, step: GuardedStep, stamp: int) -> JointCommand:
        """Return a step as a command with default gains and, if asked for, the efforts that it takes."""
        effort: FloatArray = np.zeros(self._joints)
        if self._feet is not None:
            effort = self._feet.effort(step, *self._stands)
        elif self._config.compensate_motion:
            effort = step.effort
        elif self._config.compensate_gravity:
            effort = self._robot.gravity_effort(step.position)
        effort = np.minimum(np.maximum(effort, self._least_effort), self._robot.max_effort)
        effort.flags.writeable = False  # so that the command need not copy it
        return JointCommand(stamp, step.position, step.velocity, effort, self._robot.stiffness, self._robot.damping)

    def _verdict(
        self,
        status: Status,
        reasons: tuple[str, ...],
        flags: NDArray[np.uint8],
        command: JointCommand | None,
        context: "_Context",
    ) -> Verdict:
        state, target, now = context
        source = target.command.stamp if target and target.command else 0
        received, measured = target.received if target else 0, state.stamp if state else 0
        flags = flags | self._tether.doubts | self._blamed
        self._tether.stiff = self._tether.stiff if command is None else bool(command.stiffness.any())
        self._last = Verdict(status, reasons, flags, command, source, received, now, measured)
        return self._last


def _stamp(target: Received | None, now: int) -> int:
    return target.command.stamp if target and target.command else now


_Context = tuple[JointState | None, Received | None, int]
"""State, target and time of the tick, for the account."""
