# SPDX-License-Identifier: Apache-2.0
"""Whole-body retargeting of a stream of human frames."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kata_model.errors import ClipError, ConfigError
from kata_model.frames import BODIES, HumanFrames
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import load_table
from kata_model.verdict import Reason
from kata_retarget.config import RetargetConfig
from kata_retarget.mocap import MotionClip
from kata_retarget.reference import Reference, find_reference, leg_length
from kata_retarget.skeleton import HIPS, PELVIS, Human, express_in_pelvis, human_leg, read_human, t_pose
from kata_retarget.solver.advance import advance, begin, finish, improve, prepare
from kata_retarget.solver.problem import Problem, make_problem
from kata_retarget.solver.rotation import quaternion_of
from kata_retarget.solver.solver import CONVERGED
from kata_retarget.solver.state import new_memory
from kata_retarget.types import Retargeted
from kata_retarget.upper import UpperBody, is_upper_only

__all__ = ["BodyRetargeter"]

_LOST_BODY = "lost_body"
_ABSURD = "absurd_frame"
_NOT_CONVERGED = "not_converged"
_LEG_RANGE = (0.2, 2.0)  # a human's leg [m]
_USUAL_LEG = 0.85  # where the legs are not seen [m]
_LONGEST_DT = 0.2  # after a longer gap the robot goes on as if it had been this long [s]


class BodyRetargeter:
    """Turns human frames into robot postures, one by one, without look-ahead."""

    def __init__(self, robot: RobotModel, config: RetargetConfig | None = None, clock: Callable[[], float] | None = None) -> None:
        """Calibrate a robot and compile what is not compiled yet.

        Args:
            robot: Its folder must hold ``retarget.yaml``.
            config: Settings; None for the defaults.
            clock: Seconds from anywhere; needed where the settings have a time budget.

        Raises:
            ConfigError: The robot's table is unusable, or a budget has no clock.
        """
        self._robot, self._clock = robot, clock
        self._config = config or RetargetConfig()
        table = load_table(robot)
        problem, self._reference = find_reference(make_problem(robot, table, self._config))
        self._problem = _with_hinges(problem, self._reference, robot, table.hinges)
        self._orders: dict[tuple[str, ...], NDArray[np.int64]] = {}
        self._memory, self._stamp = new_memory(self._problem), -1
        self._counts: Counter[str] = Counter()
        self._upper = UpperBody()
        if self._config.budget > 0.0 and clock is None:
            raise ConfigError(f"a budget of {self._config.budget} s without a clock", fix="give a clock, or a budget of 0")
        self._warm_up()

    @property
    def reference(self) -> Reference:
        """Return the robot's T-pose as calibrated."""
        return self._reference

    @property
    def problem(self) -> Problem:
        """Return the optimisation problem of the robot."""
        return self._problem

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many samples there were since the last reset (``frames``), and how many with each reason."""
        return MappingProxyType(self._counts)

    def reset(self) -> None:
        """Forget everything; the next frame is a first one."""
        self._memory, self._stamp = new_memory(self._problem), -1
        self._counts.clear()
        self._upper = UpperBody()

    def step(self, frames: HumanFrames) -> Retargeted:
        """Follow one sample of a whole body, or of a head with or without hands, from which the body is made up.

        Frames without a finite pelvis, out of order or absurd are refused: position is None, and nothing is
        remembered of them. Other bodies that are lost or not finite are left out. Where iterations or budget end
        before the solution is found, the reason is ``not_converged``: the posture is the best so far, within all
        limits, and the next frame goes on from it.
        """
        self._counts["frames"] += 1
        if not frames.stamp > self._stamp:
            return self._refused(Reason.OUT_OF_ORDER)
        lost: tuple[str, ...] = ()
        if is_upper_only(frames):
            lost, frames = self._upper.lost(frames), self._upper.complete(frames)
        human = read_human(frames, self._order(frames.names))
        leg = human_leg(human)
        reason = self._judge(human, leg)
        if reason == _LOST_BODY and not np.isfinite(frames.position).all():
            reason = Reason.NOT_FINITE
        if reason:
            return self._refused(reason)
        if not self._config.floating_base:
            express_in_pelvis(human)
        if self._stamp < 0:
            length = self._start(human, leg)
        else:
            length = self._advance(human, min((frames.stamp - self._stamp) * 1e-9, _LONGEST_DT))
        self._stamp = frames.stamp
        return self._result(lost if length <= self._config.tolerance else (*lost, _NOT_CONVERGED))

    def read_clip(self, clip: MotionClip) -> tuple[list[Human], float]:
        """Return a clip's samples as the kernels take them, and the robot's leg length over the human's.

        Raises:
            ClipError: The clip lacks a body that is needed, or is absurd.
        """
        humans = [read_human(frames, self._order(clip.names)) for frames in (clip.frames(i, i, True) for i in range(len(clip)))]
        leg = human_leg(humans[0])
        for i, human in enumerate(humans):
            reason = self._judge(human, leg)
            if reason:
                raise ClipError(f"frame {i} cannot be followed: {reason}", where=clip.source)
            if not self._config.floating_base:
                express_in_pelvis(human)
        return humans, leg_length(self._reference) / (leg or _USUAL_LEG)

    def _order(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        order = self._orders.get(names)
        if order is None:
            order = self._orders[names] = np.array([BODIES.index(name) if name in BODIES else -1 for name in names])
        return order

    def _judge(self, human: Human, leg: float) -> str:
        """Return why a sample cannot be followed, or ''."""
        if not (human.valid[HIPS] and human.valid[PELVIS]):
            return _LOST_BODY
        return _ABSURD if leg and not _LEG_RANGE[0] < leg < _LEG_RANGE[1] else ""

    def _advance(self, human: Human, dt: float) -> float:
        """Solve a frame, within the budget if there is one; return the length of the last step."""
        problem, memory = self._problem, self._memory
        if self._clock is None or self._config.budget <= 0.0:
            return float(advance(problem, human, memory, dt))
        begun = self._clock()
        prepare(problem, human, memory, dt)
        for _ in range(self._config.iterations):
            length = float(improve(problem, memory, 1))
            if length < CONVERGED or not self._clock() - begun < self._config.budget:
                break
        finish(problem, human, memory, dt)
        return length

    def _start(self, human: Human, leg: float) -> float:
        self._memory = new_memory(self._problem)
        self._memory.scale[0] = leg_length(self._reference) / (leg or _USUAL_LEG)
        return float(begin(self._problem, human, self._memory, self._robot.description.base_height))

    def _refused(self, reason: str) -> Retargeted:
        last = self._result((reason,))
        return Retargeted(last.names, None, last.base_position, last.base_orientation_xyzw, np.zeros(2, dtype=bool), (reason,))

    def _result(self, reasons: tuple[str, ...]) -> Retargeted:
        self._counts.update(reasons)
        m = self._memory
        q = np.empty(4)
        quaternion_of(m.pose.rotation[0], q)
        return Retargeted(self._robot.layout.names, m.position, m.pose.position[0], q, m.tracks.standing, reasons)

    def _warm_up(self) -> None:
        """Run all kernels once, so that no live frame waits for the compiler."""
        for stamp in (0, 1):
            self.step(t_pose(stamp))
        self.reset()


def _with_hinges(problem: Problem, reference: Reference, robot: RobotModel, hinges: tuple[str, ...]) -> Problem:
    """Return the problem with hinges limited to the bending side of the straight limb."""
    lower, upper = problem.lower.copy(), problem.upper.copy()
    for i in robot.layout.indices(hinges):
        if reference.bent[i] > reference.position[i]:
            lower[i] = reference.position[i]
        else:
            upper[i] = reference.position[i]
    return problem._replace(lower=lower, upper=upper)
