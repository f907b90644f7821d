# SPDX-License-Identifier: Apache-2.0
"""The safety filter: every command to the robot is decided here."""

from dataclasses import replace

from kata_model.joints import JointState
from kata_model.robot import RobotModel
from kata_model.verdict import Reason, Verdict
from kata_safety.balance_interface import BalanceInterface
from kata_safety.config import SafetyConfig
from kata_safety.decision import Decider
from kata_safety.inputs import NOTHING, FilterInputs, Received, SafetyInputs
from kata_safety.qp.shapes import Shapes
from kata_safety.state import FilterState, Following
from kata_safety.stops.stop_table import StopTable

__all__ = ["SafetyFilter"]

_RECORDED = 100_000_000
"""Time between recorded states [ns]."""


class SafetyFilter:
    """Turns targets into commands that keep every limit; holds when in doubt, stops when something is wrong.

    It moves a commanded position of its own in ticks of 1 / rate; a late tick slows the motion, never speeds it up. It holds
    the state of `Decider`, which decides: the same calls give the same verdicts, bit for bit.

    Attributes:
        decider: What decides.
        qp_filter: What of it admits velocities.
        state: All that is remembered; a state that was recorded may be put in its place.
    """

    def __init__(
        self,
        robot: RobotModel,
        config: SafetyConfig,
        *,
        shapes: Shapes | None = None,
        table: StopTable | None = None,
        balance: BalanceInterface | None = None,
    ) -> None:
        """Prepare for a robot; nothing is commanded before the first joint state.

        Args:
            robot: The robot.
            config: Limits and deadlines.
            shapes: What must stay apart; None reads it from the robot's folder.
            table: What answers which cause; None reads ``config/safety.yaml``.
            balance: Keep a robot with a free base standing; None for a base that is held.
        """
        self.decider = Decider(robot, config, shapes=shapes, table=table, balance=balance)
        self.qp_filter, self.state, self._asked = self.decider.qp_filter, self.decider.begin(), ""
        self._recorded: int | None = None

    def step(self, state: JointState | None, target: Received | None, now: int, safety: SafetyInputs = NOTHING) -> Verdict:
        """Decide one command, by `Decider.step`; arguments as in `FilterInputs`."""
        self.state, verdict = self.decider.step(self.state, FilterInputs(state, target, now, safety, self._asked))
        self._asked = ""
        return verdict

    def state_to_record(self) -> FilterState | None:
        """Return the state after a tick if it is to be recorded beside the verdict, as it is ten times a second."""
        last = self.state.last
        if last is None or (self._recorded is not None and 0 <= last.stamp - self._recorded < _RECORDED):
            return None
        self._recorded = last.stamp
        return self.state

    def stop(self, reason: str = Reason.EMERGENCY_STOP) -> None:
        """Stop at the next tick, as the table says for this cause, and stay stopped until `reset`."""
        self._asked = reason

    def reset(self) -> str:
        """End a stop; the next target is compared with the robot anew.

        Returns:
            Empty if done, else why it was refused.
        """
        last = self.state.last
        if last is None or {Reason.NO_STATE, Reason.STALE_STATE} & set(last.reasons):
            return "joint states are missing or stale"
        stops, refused = self.decider.stop_machine.release(self.state.stops)
        if not refused:  # the command stays where it is: held, or where the damped robot was measured
            self.state, self._asked = replace(self.state, stops=stops, following=Following()), ""
        return refused

    def resume(self, verdict: Verdict) -> None:
        """Take up where a verdict left off, after which nothing was remembered of targets and stops, as in standby.

        Its command must be known. Elsewhere, `state` is to be what was recorded beside the verdict (`kata_safety.state`).
        """
        command = verdict.command
        if command is not None:
            at, begun = self.qp_filter.begin(command.position, command.velocity), self.decider.begin()
            stiff = bool(command.stiffness.any())
            self.state = replace(begun, last=verdict, anchored=True, stiff=stiff, seen=verdict.state_stamp, commanded=at)
