# SPDX-License-Identifier: Apache-2.0
"""The step that keeps every limit: the wish, the nearest admissible velocity, or the brake.

A step is taken only with a certificate: the path that brakes from its end to rest keeps every limit. If none
is found, the robot brakes, which the last certificate allows (docs/safety.md has the proof).
"""

from collections.abc import Iterator
from typing import NamedTuple

import daqp
import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.robot import RobotModel
from kata_core.safety.braking import BETWEEN, SLACK, Allowed, follow_to_rest, missed, new_braking_path
from kata_core.safety.config import SafetyConfig
from kata_core.safety.limits import JointLimits
from kata_core.safety.plant import make_plant, new_scratch
from kata_core.safety.program import new_program
from kata_core.safety.shapes import Shapes
from kata_core.safety.survey import Asked, Found, new_survey, survey
from kata_core.verdict import JointFlag, Reason

__all__ = ["Guard", "GuardedStep", "Wish"]

CUSHION = 0.005
"""Distance beyond its margin at which a separation is already asked not to close [m]: else a motion along an
obstacle would fail its certificate, brake and start again."""


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
    """Moves a commanded position in ticks, within position, velocity, acceleration and effort limits and apart from obstacles."""

    def __init__(self, robot: RobotModel, shapes: Shapes, config: SafetyConfig) -> None:
        """Prepare for a robot; compiles the kernels on the first run on a machine."""
        self.limits = JointLimits.of(robot, config)
        self._config = config
        self._plant = make_plant(robot, shapes)
        self._scratch, self._path, self._survey = new_scratch(self._plant), new_braking_path(self._plant), new_survey(self._plant)
        self._program, self._state = new_program(self._plant), np.zeros((3, len(robot.layout)))
        self._margin = np.where(self._plant.border, config.workspace_margin, config.collision_margin)
        self._near = float(self._margin.max(initial=0.0)) + 0.001
        self._lowest, self._highest = self.limits.lower - SLACK, self.limits.upper + SLACK
        self._most = config.effort_scale * robot.max_effort
        self._cushioned = self._margin + CUSHION
        self._change, self._period = self.limits.change, self.limits.period
        self._identity = np.eye(len(robot.layout))
        self.constraints = 6 * len(robot.layout) + len(self._margin)
        """Inequalities that every tick keeps: two each of position, velocity and effort limits, and the separations."""
        self.pairs = self._plant.gaps
        """Pairs of capsules among them."""
        self.place(robot.rest, np.zeros(len(robot.layout)))
        self.step(Wish(np.full(len(robot.layout), 0.1)))
        self.place(robot.rest, np.zeros(len(robot.layout)))

    def place(self, position: FloatArray, velocity: FloatArray) -> None:
        """Start anew from any state, certified or not; position in [rad], velocity in [rad/s], shape (n,), finite."""
        self.position, self.velocity = position, velocity
        self._proven = False
        self._allowed = Allowed(self._margin, np.zeros(len(self._margin), dtype=bool), self._margin, self._most)

    def brake(self) -> FloatArray:
        """Return the velocity of a tick of braking, shape (n,), [rad/s]."""
        slower: FloatArray = self.velocity - np.clip(self.velocity, -self._change, self._change)
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
        wanted: FloatArray | None = self._survey.wanted.copy()
        if found.rows >= 0:
            wanted = self._nearest(found.rows)
        return self._certified(wanted, self._survey.flags.copy(), _named(found.collides, found.leaves))

    def _look(self, wish: Wish, recovery: float) -> Found:
        """Survey the surroundings; return the numbers of what was found."""
        self._state[0], self._state[1], self._state[2] = self.position, self.velocity, wish.velocity
        asked, gain = Asked(self.limits.bounds, self._cushioned, self._allowed.effort), self._config.approach_gain
        found = survey(
            self._plant,
            self._scratch,
            self._survey,
            self._program,
            self._state,
            asked,
            float(wish.cap),
            gain,
            recovery,
            self._period,
        )
        self.close: NDArray[np.int64] = self._survey.close[: found.close]
        """Separations that the last tick and braking after it could have brought near: those that were looked at."""
        return found

    def _relax(self) -> bool:
        """From a state without certificate, ask no more than braking can give; else ask for everything.

        Separations that braking cannot keep must at least not shrink from tick to tick. Returns whether what is asked
        of efforts has changed.
        """
        if self._proven:
            return False
        self._try(self.brake())
        path, before = self._path, self._allowed
        loose = (path.ticks < self._margin - SLACK) | (path.nearest < self._margin - BETWEEN)
        ceiling = np.maximum(self._most, path.effort + SLACK)
        self._allowed = Allowed(self._margin, loose, np.minimum(self._margin, path.ticks), ceiling)
        self._proven = bool(not loose.any() and (ceiling == self._most).all())
        return bool((ceiling != before.effort).any())

    def _try(self, velocity: FloatArray) -> bool:
        """Return whether a step with a velocity, and braking after it, keeps every limit."""
        self._state[2] = velocity
        start, change, period, near = self._survey.apart, self._change, self._period, self._near
        plant, scratch, path, state = self._plant, self._scratch, self._path, self._state
        return bool(follow_to_rest(plant, scratch, path, state, start, self.close, change, period, near, self._allowed))

    def _nearest(self, rows: int) -> FloatArray | None:
        """Return the velocity nearest to the wanted one under all constraints, None if there is none."""
        program, wanted, box, used = self._program, self._survey.wanted, self._survey.box, len(self._identity) + rows
        high, low, sense = program.high[:used], program.low[:used], program.sense[:used]
        found, _, code, _ = daqp.solve(self._identity, -wanted, program.rows[:rows], high, low, sense, iter_limit=200)
        return np.clip(found, box[0], box[1]) if code in (1, 2) and np.isfinite(found).all() else None

    def _certified(self, found: FloatArray | None, flags: NDArray[np.uint8], reasons: tuple[str, ...]) -> GuardedStep:
        """Take a velocity, or a share of the way there from the brake, if braking stays possible after it; else brake."""
        for chosen in self._candidates(found):
            if self._try(chosen):
                break
            flags, reasons = flags | self._weak(), reasons or self._failed()
        else:
            chosen = self.brake()
            self._try(chosen)
        self.position, self.velocity = self.position + self._period * chosen, chosen
        within = (self.position >= self._lowest).all() and (self.position <= self._highest).all()
        if not (self._proven and within):
            reasons = (*reasons, *(() if Reason.OUTSIDE in reasons else (Reason.OUTSIDE,)))
        return GuardedStep(self.position, self.velocity, self._path.first_effort.copy(), flags, reasons)

    def _candidates(self, found: FloatArray | None) -> Iterator[FloatArray]:
        """Yield velocities to try, the best first; slower motion bends less."""
        if found is None:
            return
        yield found
        brake = self.brake()
        for share in (0.5,) if self._proven else (0.5, 0.2, 0.05):
            yield brake + share * (found - brake)

    def _weak(self) -> NDArray[np.uint8]:
        return (JointFlag.EFFORT * (self._path.effort > self._allowed.effort + SLACK)).astype(np.uint8)

    def _failed(self) -> tuple[str, ...]:
        border = [bool(self._plant.border[m]) for m in self.close if missed(self._path, m, self._allowed)]
        return _named(not all(border), any(border))


def _named(collides: bool, leaves: bool) -> tuple[str, ...]:
    named = ((Reason.SELF_COLLISION, collides), (Reason.WORKSPACE, leaves))
    return tuple(name for name, acted in named if acted)
