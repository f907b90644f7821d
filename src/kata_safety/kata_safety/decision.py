# SPDX-License-Identifier: Apache-2.0
"""One tick of the safety filter as a pure function: (state, inputs) → (state, verdict)."""

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag, Reason, Status, Verdict
from kata_safety.balance_interface import BalanceInterface
from kata_safety.config import SafetyConfig
from kata_safety.inputs import FilterInputs, Received, StateCheck, target_fault
from kata_safety.qp.motion import DesiredVelocity, FilteredStep
from kata_safety.qp.qp_filter import QPFilter
from kata_safety.qp.shapes import Shapes, load_shapes
from kata_safety.state import BalanceMemory, FilterState, Following, Stops
from kata_safety.stops.stability import steady
from kata_safety.stops.stop_machine import StopMachine
from kata_safety.stops.stop_table import StopCategory, StopTable
from kata_safety.target_interpolator import TargetInterpolator
from kata_safety.tracking_error import TrackingMonitor, distance, load_kernels

__all__ = ["Decider"]

_FLAG_REASONS = (
    (int(JointFlag.POSITION), Reason.POSITION_LIMIT),
    (int(JointFlag.VELOCITY), Reason.VELOCITY_LIMIT),
    (int(JointFlag.ACCELERATION), Reason.ACCELERATION_LIMIT),
    (int(JointFlag.EFFORT), Reason.EFFORT_LIMIT),
)

_LED = 0.1
"""Change of a desired velocity for balance that is told [rad/s]."""

_ARRIVED = 0.02
"""Distance from the safe posture at which a retreat has arrived [rad]."""


class Decider:
    """What decides, made once for a robot: it has no clock, does no I/O and remembers nothing."""

    def __init__(
        self,
        robot: RobotModel,
        config: SafetyConfig,
        *,
        shapes: Shapes | None = None,
        table: StopTable | None = None,
        balance: BalanceInterface | None = None,
    ) -> None:
        """Prepare for a robot; arguments as in `SafetyFilter`."""
        self.robot, self.config, self.balance, self.joints = robot, config, balance, len(robot.layout)
        self.safe_posture = robot.rest if balance is None else balance.safe_posture
        if balance is None:
            self.qp_filter = QPFilter(robot, load_shapes(robot) if shapes is None else shapes, config)
        else:
            self.qp_filter = balance.qp_filter
        most = np.full(self.joints, config.max_tracking_error) if balance is None else balance.tracking
        self.state_check = StateCheck(robot, config)
        self.tracking = TrackingMonitor(config, self.qp_filter.limits, most)
        self.stop_machine = StopMachine(StopTable.load() if table is None else table, config)
        self.interpolator = TargetInterpolator(self.qp_filter.limits, config)
        self.none, self.still = np.zeros(self.joints, dtype=np.uint8), np.zeros(self.joints)
        self.none.flags.writeable = self.still.flags.writeable = False
        self.least_effort = -robot.max_effort
        load_kernels(robot.rest)
        if balance is not None:  # compares velocities, which are no read-only arrays
            distance(np.array(robot.rest), np.array(robot.rest))

    def begin(self) -> FilterState:
        """Return the state before the first tick."""
        commanded = self.qp_filter.begin(self.robot.rest, self.still)
        memory = BalanceMemory(self.still)
        return FilterState(None, False, False, 0, self.none, self.none, commanded, Following(), Stops(), memory)

    def step(self, state: FilterState, inputs: FilterInputs) -> tuple[FilterState, Verdict]:
        """Decide one command; never raises. A tick that comes too early repeats the last verdict."""
        last, tick = state.last, _Tick(self, state, inputs)
        elapsed = inputs.now - last.stamp if last else 0
        if last and 0 <= elapsed < 0.5e9 * self.qp_filter.limits.period:
            return tick.early(last)
        return tick.decide(jumped=not 0 <= elapsed <= self.config.max_tick_gap * 1e9)


class _Tick:
    """One tick: what was remembered, which changes on the way to the verdict."""

    __slots__ = (
        "anchored",
        "at",
        "balance",
        "blamed",
        "by",
        "doubts",
        "following",
        "inputs",
        "measured",
        "seen",
        "stiff",
        "stops",
        "unsteady",
    )

    def __init__(self, by: Decider, state: FilterState, inputs: FilterInputs) -> None:
        self.by, self.inputs = by, inputs
        self.anchored, self.stiff, self.seen = state.anchored, state.stiff, state.seen
        self.doubts, self.blamed, self.at = state.doubts, state.blamed, state.commanded
        self.following, self.stops, self.balance = state.following, state.stops, state.balance
        self.measured: JointState | None = None
        self.unsteady = False

    def early(self, last: Verdict) -> tuple[FilterState, Verdict]:
        """Repeat the last verdict, since a tick more would speed the motion up; only damping cannot wait."""
        before = self.stops.stop
        if self.inputs.asked or self.inputs.safety.alarms:
            self.stops, _ = self.by.stop_machine.notice(self.stops, (), self.inputs)
        stop = self.stops.stop
        if stop is not before and stop is not None and stop.category is StopCategory.DAMP:
            return self._damp(None, "")
        return self._after(last), last

    def decide(self, *, jumped: bool) -> tuple[FilterState, Verdict]:
        """Decide a command; jumped tells whether the clock did."""
        by, (joints, target, now, _, _) = self.by, self.inputs
        trouble = by.state_check.fault(joints, now)
        self.doubts = by.state_check.culprits(joints, now) if trouble else by.none
        if jumped:  # start anew from whatever is measured next
            self.anchored, self.seen, self.following, self.doubts = False, 0, Following(), by.none
            trouble = Reason.CLOCK_JUMP  # which is also why the joint state seems old, or from the future
        measured, trouble = self._stand(None if trouble else joints, trouble)
        limp = strays = False
        if measured is not None:
            limp, strays = self._anchor(measured), self._strays(measured)
        self.stops, waiting = by.stop_machine.notice(self.stops, self._causes(trouble, strays), self.inputs)
        self.blamed = self.doubts if strays else by.none if self.stops.stop is None else self.blamed
        if self.stops.stop is not None:
            return self._stopping(measured, trouble, limp=limp)
        if limp:  # stiff joints would be thrown to where the commanded motion begins anew
            command = self._damping(self.at.velocity, _stamp(target, now))
            return self._verdict(Status.HOLDING, (Reason.CLOCK_JUMP,), by.none, command)
        kept = self.following.kept
        fault = trouble or waiting or target_fault(target, by.joints, kept.stamp if kept else 0, now, by.config)
        if fault or target is None or target.command is None:
            return self._hold(fault)
        return self._follow(target.command)

    def _stand(self, measured: JointState | None, trouble: str) -> tuple[JointState | None, str]:
        """Note how a robot on its feet stands; before that is known, nothing is commanded."""
        self.measured, safety = measured, self.inputs.safety
        if self.by.balance is None:
            return measured, trouble
        self.unsteady = not steady(safety.base, self.by.config)
        unknown = safety.motion is None and not self.anchored
        return (None, trouble or Reason.NO_BASE) if unknown else (measured, trouble)

    def _anchor(self, measured: JointState) -> bool:
        """Let the commanded motion begin where the robot is, if it has not yet; return whether the joints must be limp before."""
        self.seen = measured.stamp
        if self.anchored:
            return False
        self.anchored = True
        self._place(measured)
        return self.stiff

    def _place(self, measured: JointState) -> None:
        self.at = self.by.qp_filter.begin(measured.position, self.by.tracking.brakeable(measured))

    def _strays(self, measured: JointState) -> bool:
        lost = self.by.tracking.lost(self.at, measured)
        if lost is not None:
            self.doubts = self.doubts | lost
        return lost is not None

    def _causes(self, trouble: str, strays: bool) -> tuple[str, ...]:
        """Return what of the joint state stops the robot."""
        longest = self.by.config.state_loss * 1e9
        lost = self.anchored and trouble != Reason.CLOCK_JUMP and not self.inputs.now - self.seen <= longest
        return (*((Reason.LOST_STATE,) if lost else ()), *((Reason.TRACKING_ERROR,) if strays else ()))

    def _follow(self, command: JointCommand) -> tuple[FilterState, Verdict]:
        by, now = self.by, self.inputs.now
        engaged = by.interpolator.engage(self.following, command, self.at.position, now)
        if engaged is None:
            return self._hold(Reason.MISMATCH)
        self.following, wanted = by.interpolator.follow(engaged, command, self.at, now)
        lag = self._pace(self.inputs.joints)
        cap = min(wanted.cap, lag, by.config.crawl_velocity if self.unsteady else np.inf)
        velocity, balance = self._led(wanted.velocity, command.position, cap)
        self.at, step = by.qp_filter.step(self.at, DesiredVelocity(velocity, cap))
        flags = step.flags | wanted.flags
        acted = 0
        for bits in set(flags.tobytes()):
            acted |= bits
        lags = (*((Reason.ROBOT_LAGS,) if lag < np.inf else ()), *balance)
        limits = tuple([name for flag, name in _FLAG_REASONS if acted & flag])
        reasons = wanted.reasons + lags + limits + step.reasons
        status = Status.LIMITED if reasons else Status.FOLLOWING
        return self._verdict(status, reasons, flags, self._compose(step, wanted.stamp))

    def _pace(self, joints: JointState | None) -> float:
        """Return the velocity limit that lets the robot catch up [rad/s], and note which joints lag."""
        pace, lagging = (np.inf, None) if joints is None else self.by.tracking.pace(self.at, joints)
        if lagging is not None:
            self.doubts = self.doubts | lagging
        return pace

    def _led(self, wanted: FloatArray, goal: FloatArray, cap: float) -> tuple[FloatArray, tuple[str, ...]]:
        """Return a velocity that keeps a robot on its feet, and why, if it differs; of a base that is held, the wanted one."""
        if self.by.balance is None:
            return wanted, ()
        led = self.by.balance.lead(self.at, wanted, goal, cap)
        return led, (Reason.BALANCE,) if self.unsteady or distance(led, wanted) > _LED else ()

    def _hold(self, reason: str) -> tuple[FilterState, Verdict]:
        """Brake within limits and stay; only a new engage moves the robot again."""
        self.following = self.following.released()
        status = Status.STANDBY if reason == Reason.NO_TARGET else Status.HOLDING
        if not self.anchored:
            return self._verdict(status, (reason,), self.by.none, None)
        self.at, step = self.by.qp_filter.halt(self.at)
        command = self._compose(step, _stamp(self.inputs.target, self.inputs.now))
        return self._verdict(status, (reason, *step.reasons), step.flags, command)

    def _stopping(self, measured: JointState | None, trouble: str, *, limp: bool) -> tuple[FilterState, Verdict]:
        """Stop as the latched category says."""
        self.following = self.following.released()
        by, stop, now = self.by, self.stops.stop, self.inputs.now
        if stop is None or stop.category is StopCategory.DAMP or limp or not self.anchored:
            return self._damp(measured, trouble)
        reasons = tuple(dict.fromkeys(r for r in (stop.reason, trouble) if r))
        if stop.category is StopCategory.RETREAT:
            step = self._retreat()
            if self._arrived() or now - stop.since > by.config.retreat_time * 1e9:
                self.stops = by.stop_machine.escalate(self.stops, now)
            return self._verdict(Status.STOPPING, reasons, step.flags, self._compose(step, now))
        self.at, step = by.qp_filter.halt(self.at)
        status = Status.STOPPING if step.velocity.any() else Status.STOPPED
        return self._verdict(status, reasons, step.flags, self._compose(step, now))

    def _retreat(self) -> FilteredStep:
        by, goal = self.by, self.by.safe_posture
        way, cap = by.interpolator.approach(goal, by.still, self.at.position, self.at.velocity), by.config.retreat_velocity
        self.at, step = by.qp_filter.step(self.at, DesiredVelocity(self._led(way, goal, cap)[0], cap))
        return step

    def _arrived(self) -> bool:
        if self.by.balance is not None:
            return self.by.balance.arrived(self.at, _ARRIVED)
        return bool(np.abs(self.at.position - self.by.safe_posture).max() <= _ARRIVED)

    def _damp(self, measured: JointState | None, trouble: str) -> tuple[FilterState, Verdict]:
        """Command damping alone, without stiffness, from where the robot is."""
        if measured is not None:
            self._place(measured)
        stop, command = self.stops.stop, self._damping(self.by.still, self.inputs.now)
        reasons = tuple(dict.fromkeys(r for r in (stop.reason if stop else "", trouble) if r))
        return self._verdict(Status.STOPPED, reasons, self.by.none, command if self.anchored else None)

    def _damping(self, velocity: FloatArray, stamp: int) -> JointCommand:
        still = self.by.still
        return JointCommand(stamp, self.at.position, velocity, still, still, self.by.robot.damping)

    def _compose(self, step: FilteredStep, stamp: int) -> JointCommand:
        """Return a step as a command with default gains and, if asked for, the efforts that it takes."""
        by, robot = self.by, self.by.robot
        effort: FloatArray = by.still
        if by.balance is not None:
            effort, self.balance = by.balance.effort(self.balance, step, self.measured, self.inputs.safety.motion)
        elif by.config.compensate_motion:
            effort = step.effort
        elif by.config.compensate_gravity:
            effort = robot.gravity_effort(step.position)
        effort = np.minimum(np.maximum(effort, by.least_effort), robot.max_effort)
        effort.flags.writeable = False  # so that the command need not copy it
        return JointCommand(stamp, step.position, step.velocity, effort, robot.stiffness, robot.damping)

    def _verdict(
        self, status: Status, reasons: tuple[str, ...], flags: NDArray[np.uint8], command: JointCommand | None
    ) -> tuple[FilterState, Verdict]:
        state, target, now, _, _ = self.inputs
        source = target.command.stamp if target and target.command else 0
        received, measured = target.received if target else 0, state.stamp if state else 0
        self.stiff = self.stiff if command is None else bool(command.stiffness.any())
        if self.doubts is not self.by.none or self.blamed is not self.by.none:
            flags = flags | self.doubts | self.blamed
        verdict = Verdict(status, reasons, flags, command, source, received, now, measured)
        return self._after(verdict), verdict

    def _after(self, verdict: Verdict) -> FilterState:
        seen = (self.anchored, self.stiff, self.seen, self.doubts, self.blamed)
        return FilterState(verdict, *seen, self.at, self.following, self.stops, self.balance)


def _stamp(target: Received | None, now: int) -> int:
    return target.command.stamp if target and target.command else now
