# SPDX-License-Identifier: Apache-2.0
"""The step that keeps every limit: the wish, the nearest admissible velocity, or the brake.

A step is taken only with a certificate: the path that brakes from its end to rest keeps every limit. If none
is found, the robot brakes, which the last certificate allows (docs/safety.md has the proof).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag, Reason
from kata_safety.config import SafetyConfig
from kata_safety.guard.braking import BETWEEN, SLACK, advance, unkept
from kata_safety.guard.plant import make_plant
from kata_safety.guard.program import confine
from kata_safety.guard.quadratic_program import solve
from kata_safety.guard.room import hold_room, look_around, new_room, try_step
from kata_safety.guard.shapes import Shapes
from kata_safety.guard.survey import Found
from kata_safety.limits import JointLimits

__all__ = ["Guard", "GuardedStep", "Wish"]

_EFFORT = np.uint8(JointFlag.EFFORT)


class Wish(NamedTuple):
    """What is wanted of a tick.

    Attributes:
        velocity: Shape (n,), [rad/s], finite.
        cap: Velocity limit of all joints beside their own [rad/s].
    """

    velocity: FloatArray
    cap: float = np.inf


class GuardedStep(NamedTuple):
    """What is admitted.

    Attributes:
        position: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        effort: Efforts of this motion, shape (n,), [N·m].
        flags: `JointFlag` bits of the limits that acted, shape (n,), uint8.
        reasons: Names from `Reason` that flags do not tell.
    """

    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    flags: NDArray[np.uint8]
    reasons: tuple[str, ...]


class Guard:
    """Moves a commanded position in ticks, within position, velocity, acceleration and effort limits and apart from obstacles.

    More can be asked of it: rows of the program by `_append_rows`, for which there is room for `_extra_rows`, and a look at
    each path by `_also_keeps`.
    """

    _extra_rows = 0
    _always_solves = False
    """Whether the program is solved even if the wish violates nothing that this class knows."""

    def __init__(self, robot: RobotModel, shapes: Shapes, config: SafetyConfig) -> None:
        """Prepare for a robot; compiles the kernels on the first run on a machine."""
        self._config, limits = config, JointLimits.of(robot, config)
        self._plant = make_plant(robot, shapes)
        self._margin = np.where(self._plant.border, config.workspace_margin, config.collision_margin)
        self._room = new_room(self._plant, self._margin, self._extra_rows, config.approach_gain, limits.period)
        self._held = hold_room(self._room)
        self._survey, self._program, self._path = self._room.survey, self._room.program, self._room.path
        self._state, self._allowed = self._room.state, self._room.allowed
        self._most = config.effort_scale * robot.max_effort
        self._identity = np.eye(len(robot.layout))
        self._obey(limits)
        self.constraints = 6 * len(robot.layout) + len(self._margin)
        """Inequalities that every tick keeps: two each of position, velocity and effort limits, and the separations."""
        self.pairs = self._plant.gaps
        """Pairs of capsules among them."""
        self.place(robot.rest, np.zeros(len(robot.layout)))
        self.step(Wish(np.full(len(robot.layout), 0.1)))
        self._failed()  # every kernel is loaded before the first tick
        self.place(robot.rest, np.zeros(len(robot.layout)))

    def _obey(self, limits: JointLimits) -> None:
        """Keep these limits of joints from now on."""
        self.limits, self._change, self._slower, self._period = limits, limits.change, -limits.change, limits.period
        self._room.bounds[:] = limits.bounds

    def place(self, position: FloatArray, velocity: FloatArray) -> None:
        """Start anew from any state, certified or not; position in [rad], velocity in [rad/s], shape (n,), finite."""
        self.position, self.velocity = frozen("position", position, (None,)), frozen("velocity", velocity, (None,))
        self._proven = False
        self._ask(np.zeros(len(self._margin), dtype=bool), self._margin, self._most)

    def _ask(self, loose: NDArray[np.bool_], floor: FloatArray, effort: FloatArray) -> None:
        """Ask the path to keep this beside the margins, as in `Allowed`, and the tick its efforts."""
        self._allowed.loose[:], self._allowed.floor[:], self._allowed.effort[:] = loose, floor, effort

    def brake(self) -> FloatArray:
        """Return the velocity of a tick of braking, shape (n,), [rad/s]."""
        slower: FloatArray = self.velocity - np.minimum(np.maximum(self.velocity, self._slower), self._change)
        return slower

    def halt(self) -> GuardedStep:
        """Brake; a joint outside its limits is led back in."""
        self._look(Wish(np.zeros(len(self.velocity))), recovery=0.0)
        self._relax()
        return self._certified(self._survey.wanted.copy(), self._survey.flags.copy(), ())

    def step(self, wish: Wish) -> GuardedStep:
        """Take the tick that is nearest to a wish."""
        found = self._look(wish, self._config.recovery_speed)
        if self._relax():
            found = self._look(wish, self._config.recovery_speed)
        wanted = self._nearest(found.rows) if found.rows >= 0 else self._survey.wanted.copy()
        return self._certified(wanted, self._survey.flags.copy(), _named(found.collides, found.leaves))

    def _look(self, wish: Wish, recovery: float) -> Found:
        """Survey the surroundings; return the numbers of what was found."""
        self._state[0], self._state[1], self._state[2] = self.position, self.velocity, wish.velocity
        found = look_around(self._held, float(wish.cap), recovery, self._always_solves)
        self.close: NDArray[np.int64] = self._survey.close[: found.close]
        """Separations that the last tick and braking after it could have brought near: those that were watched."""
        return found

    def _relax(self) -> bool:
        """From a state without certificate, ask no more than braking can give; else ask for everything.

        Separations that braking cannot keep must at least not shrink from tick to tick. Returns whether what is asked
        of efforts has changed.
        """
        if self._proven:
            return False
        self._try(self.brake())
        path, before = self._path, self._allowed.effort.copy()
        loose = (path.ticks < self._margin - SLACK) | (path.nearest < self._margin - BETWEEN)
        ceiling = np.maximum(self._most, path.effort + SLACK)
        self._ask(loose, np.minimum(self._margin, path.ticks), ceiling)
        self._proven = bool(not loose.any() and (ceiling == self._most).all())
        return bool((ceiling != before).any())

    def _try(self, velocity: FloatArray) -> bool:
        """Return whether a step with a velocity, and braking after it, keeps every limit."""
        self._state[2] = velocity
        return bool(try_step(self._held, len(self.close))) and self._also_keeps()

    def _also_keeps(self) -> bool:
        """Return whether the path just followed keeps what else is asked; its ticks are in ``_path.course``."""
        return True

    def _append_rows(self, used: int) -> int:
        """Append rows to the program after those used already; return how many there are in all."""
        return used

    def _nearest(self, rows: int) -> FloatArray | None:
        """Return the velocity nearest to the wanted one under all constraints, None if there is none."""
        rows = self._append_rows(rows)
        found = solve(self._program, self._identity, rows)
        return found if found is not None and confine(found, self._survey.box) else None

    def _certified(self, found: FloatArray | None, flags: NDArray[np.uint8], reasons: tuple[str, ...]) -> GuardedStep:
        """Take a velocity, or a share of the way there from the brake, if braking stays possible after it; else brake."""
        for chosen in self._candidates(found):
            if self._try(chosen):
                break
            flags, reasons = flags | self._weak(), reasons or self._failed()
        else:
            chosen = self.brake()
            self._try(chosen)
        position = np.empty(len(chosen))
        within = advance(self._state, self._room.bounds, self._period, position)
        position.flags.writeable = chosen.flags.writeable = False
        self.position, self.velocity = position, chosen
        if not (self._proven and within):
            reasons = (*reasons, *(() if Reason.OUTSIDE in reasons else (Reason.OUTSIDE,)))
        return GuardedStep(position, chosen, self._path.first_effort.copy(), flags, reasons)

    def _candidates(self, found: FloatArray | None) -> Iterator[FloatArray]:
        """Yield velocities to try, the best first; slower motion bends less."""
        if found is None:
            return
        yield found
        brake = self.brake()
        for share in (0.5,) if self._proven else (0.5, 0.2, 0.05):
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
