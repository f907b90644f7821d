# SPDX-License-Identifier: Apache-2.0
"""QP filter: a control barrier function filter of velocity dampers (Ames et al. 2019; Faverjon & Tournassoud 1987).

A step is the desired velocity, the nearest admissible one, or the brake. It is taken only with a certificate of viability: the
path that brakes from its end to rest keeps every limit. If none is found, the robot brakes, which the last certificate allows
(docs/safety.md has the proof).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag, Reason
from kata_safety.config import SafetyConfig
from kata_safety.limits import JointLimits
from kata_safety.qp.braking import BETWEEN, SLACK, advance, unkept
from kata_safety.qp.buffers import handle_of, linearise_around, new_buffers, try_step
from kata_safety.qp.dynamics_model import make_dynamics_model
from kata_safety.qp.linearisation import Found
from kata_safety.qp.motion import Commanded, Constraints, ConstraintsTick, DesiredVelocity, FilteredStep
from kata_safety.qp.qp_assembly import confine
from kata_safety.qp.quadratic_program import solve
from kata_safety.qp.shapes import Shapes

__all__ = ["QPFilter"]

_EFFORT = np.uint8(JointFlag.EFFORT)


class _Tick(NamedTuple):
    """One tick's beginning, and whether everything is asked of it and which efforts."""

    at: Commanded
    more: ConstraintsTick | None
    proven: bool
    ceiling: FloatArray


class QPFilter:
    """Moves a commanded position in ticks, within position, velocity, acceleration and effort limits and apart from obstacles.

    It remembers nothing: what kernels write into its buffers is read in the same tick.
    """

    def __init__(self, robot: RobotModel, shapes: Shapes, config: SafetyConfig, constraints: Constraints | None = None) -> None:
        """Prepare for a robot; compiles the kernels on the first run on a machine.

        Args:
            robot: The robot.
            shapes: What must stay apart.
            config: Limits.
            constraints: What else is asked, as of a robot on its feet.
        """
        self._config, self.more, limits = config, constraints, JointLimits.of(robot, config)
        self._plant = make_dynamics_model(robot, shapes)
        self._margin = np.where(self._plant.border, config.workspace_margin, config.collision_margin)
        rows = 0 if constraints is None else constraints.rows
        self.buffers = new_buffers(self._plant, self._margin, rows, config.approach_gain, limits.period)
        self.handle = handle_of(self.buffers)
        self._linearised, self._program, self._path = self.buffers.linearised, self.buffers.program, self.buffers.path
        self._state, self._allowed = self.buffers.state, self.buffers.allowed
        most, cost = config.effort_scale * robot.max_effort, np.ones(len(robot.layout))
        if constraints is not None:
            limits, most, cost = constraints.limits(limits), constraints.effort(most), constraints.cost
        self._most, self._cost, self._hessian = frozen("most", most, (None,)), cost, np.diag(cost)
        self.limits, self._change, self._slower, self._period = limits, limits.change, -limits.change, limits.period
        self.buffers.bounds[:] = limits.bounds
        self._asks_all = False  # what the buffers hold
        self.constraints = 6 * len(robot.layout) + len(self._margin) + (0 if constraints is None else constraints.count)
        """Inequalities that every tick keeps: two each of position, velocity and effort limits, and the separations."""
        self.pairs = self._plant.gaps
        """Pairs of capsules among them."""
        rest = self.begin(robot.rest, np.zeros(len(robot.layout)))
        self.step(rest, DesiredVelocity(np.full(len(robot.layout), 0.1)))
        self._failed()  # every kernel is loaded before the first tick

    def begin(self, position: FloatArray, velocity: FloatArray) -> Commanded:
        """Return a motion that begins in any state, certified or not; [rad], [rad/s], shape (n,), finite."""
        position = frozen("position", position, (None,))
        return Commanded(position, frozen("velocity", velocity, (None,)), False, self._most, position)

    def halt(self, at: Commanded) -> tuple[Commanded, FilteredStep]:
        """Brake; a joint outside its limits is led back in."""
        tick = self._begin(at)
        self._look(at, DesiredVelocity(np.zeros(len(at.velocity))), recovery=0.0)
        tick = self._relaxed(tick)
        return self._certified(tick, self._linearised.wanted.copy(), self._linearised.flags.copy(), ())

    def step(self, at: Commanded, desired: DesiredVelocity) -> tuple[Commanded, FilteredStep]:
        """Take the tick that is nearest to a desired velocity."""
        tick = self._begin(at)
        found = self._look(at, desired, self._config.recovery_speed)
        tick = self._relaxed(tick)
        if not at.proven and (tick.ceiling != at.ceiling).any():
            found = self._look(at, desired, self._config.recovery_speed)
        wanted = self._nearest(tick, found.rows) if found.rows >= 0 else self._linearised.wanted.copy()
        return self._certified(tick, wanted, self._linearised.flags.copy(), _named(found.collides, found.leaves))

    def _begin(self, at: Commanded) -> _Tick:
        if not (at.proven and self._asks_all):
            self._allowed.effort[:], self._allowed.floor[:], self._allowed.loose[:] = at.ceiling, self._margin, False
            self._asks_all = at.proven
        more = None if self.more is None else self.more.begin(at, self.buffers, self.handle)
        return _Tick(at, more, at.proven, at.ceiling)

    def _look(self, at: Commanded, desired: DesiredVelocity, recovery: float) -> Found:
        """Survey the surroundings; return the numbers of what was found."""
        self._state[0], self._state[1], self._state[2] = at.position, at.velocity, desired.velocity
        found = linearise_around(self.handle, float(desired.cap), recovery, self.more is not None)
        self.close: NDArray[np.int64] = self._linearised.close[: found.close]
        """Separations that the last tick and braking after it could have brought near: those that were watched."""
        return found

    def _relaxed(self, tick: _Tick) -> _Tick:
        """From a state without certificate, ask no more than braking can give; else ask for everything.

        Separations that braking cannot keep must at least not shrink from tick to tick.
        """
        if tick.proven:
            return tick
        self._state[2] = self._brake(tick.at)
        try_step(self.handle, len(self.close))
        path, allowed, more = self._path, self._allowed, tick.more
        loose = (path.ticks < self._margin - SLACK) | (path.nearest < self._margin - BETWEEN)
        ceiling = frozen("ceiling", np.maximum(self._most, path.effort + SLACK), (None,))
        allowed.loose[:], allowed.floor[:], allowed.effort[:] = loose, np.minimum(self._margin, path.ticks), ceiling
        proven = (more is None or more.relax()) and not loose.any() and bool((ceiling == self._most).all())
        return _Tick(tick.at, more, proven, ceiling)

    def _brake(self, at: Commanded) -> FloatArray:
        """Return the velocity of a tick of braking, shape (n,), [rad/s]."""
        slower: FloatArray = at.velocity - np.minimum(np.maximum(at.velocity, self._slower), self._change)
        return slower

    def _keeps(self, tick: _Tick, velocity: FloatArray) -> bool:
        """Return whether a step with a velocity, and braking after it, keeps every limit."""
        self._state[2] = velocity
        return bool(try_step(self.handle, len(self.close))) and (tick.more is None or tick.more.keeps_path())

    def _nearest(self, tick: _Tick, rows: int) -> FloatArray | None:
        """Return the velocity nearest to the wanted one under all constraints, None if there is none."""
        if tick.more is not None:
            rows = tick.more.append_rows(rows)
            self._program.slope[:] = -self._cost * self._linearised.wanted
        found = solve(self._program, self._hessian, rows)
        return found if found is not None and confine(found, self._linearised.box) else None

    def _certified(
        self, tick: _Tick, found: FloatArray | None, flags: NDArray[np.uint8], reasons: tuple[str, ...]
    ) -> tuple[Commanded, FilteredStep]:
        """Take a velocity, or a share of the way there from the brake, if braking stays possible after it; else brake."""
        for chosen in self._candidates(tick, found):
            if self._keeps(tick, chosen):
                break
            flags, reasons = flags | self._weak(), reasons or self._failed()
        else:
            chosen = self._brake(tick.at)
            self._keeps(tick, chosen)
        position = np.empty(len(chosen))
        within = advance(self._state, self.buffers.bounds, self._period, position)
        position.flags.writeable = chosen.flags.writeable = False
        if not (tick.proven and within):
            reasons = (*reasons, *(() if Reason.OUTSIDE in reasons else (Reason.OUTSIDE,)))
        step = FilteredStep(position, chosen, self._path.first_effort.copy(), flags, reasons)
        at = Commanded(position, chosen, tick.proven, tick.ceiling, tick.at.stance)
        return at, step if tick.more is None else tick.more.told(step)

    def _candidates(self, tick: _Tick, found: FloatArray | None) -> Iterator[FloatArray]:
        """Yield velocities to try, the best first; slower motion bends less."""
        if found is None:
            return
        yield found
        brake = self._brake(tick.at)
        for share in (0.5,) if tick.proven else (0.5, 0.2, 0.05):
            yield brake + share * (found - brake)

    def _weak(self) -> NDArray[np.uint8]:
        return (self._path.effort > self._allowed.effort + SLACK) * _EFFORT

    def _failed(self) -> tuple[str, ...]:
        return _named(*unkept(self._path, self.close, self._allowed, self._plant.border))


def _named(collides: bool, leaves: bool) -> tuple[str, ...]:
    if not (collides or leaves):
        return ()
    named = ((Reason.SELF_COLLISION, collides), (Reason.WORKSPACE, leaves))
    return tuple(name for name, acted in named if acted)
