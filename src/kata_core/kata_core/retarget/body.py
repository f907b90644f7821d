# SPDX-License-Identifier: Apache-2.0
"""Whole-body retargeting of a stream of human frames."""

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.frames import BODIES, HumanFrames
from kata_core.retarget.config import RetargetConfig
from kata_core.retarget.contact import FEET, ContactRule, new_tracks, track_feet
from kata_core.retarget.problem import Problem, make_problem
from kata_core.retarget.reference import Reference, find_reference
from kata_core.retarget.rotation import exponential, logarithm, matrix_of, quaternion_of, transpose_multiply
from kata_core.retarget.skeleton import EDGES, HIPS, Human, index_of, lay_out, read_human
from kata_core.retarget.solver import Box, approach, lift_out_of_floor, solve
from kata_core.retarget.state import Memory, new_memory
from kata_core.retarget.table import load_table
from kata_core.retarget.types import Retargeted
from kata_core.robot import RobotModel
from kata_core.verdict import Reason

__all__ = ["BodyRetargeter"]

_DT = 1.0 / 30.0  # the frame time to which smoothing and momentum refer [s]
_LOST_BODY = "lost_body"
_ABSURD = "absurd_frame"
_LEGS = np.array([[index_of(f"{side}_{part}") for part in ("thigh", "shin", "foot")] for side in ("left", "right")])


class BodyRetargeter:
    """Turns human frames into robot postures, one by one, without look-ahead."""

    def __init__(self, robot: RobotModel, config: RetargetConfig | None = None) -> None:
        """Calibrate a robot and warm the kernels up; its folder must hold ``retarget.yaml``."""
        self._config = config or RetargetConfig()
        self._robot = robot
        table = load_table(robot)
        problem, self._reference = find_reference(make_problem(robot, table, self._config))
        self._problem = _with_hinges(problem, self._reference, robot, table.hinges)
        self._leg = float(sum(self._reference.length[i] for i, (child, _) in enumerate(EDGES) if child in _LEGS[:, 1:]) / 2)
        limit = np.minimum(self._config.velocity_margin * robot.max_velocity, self._config.max_velocity)
        self._max_velocity: FloatArray = limit
        self._edges = np.array(EDGES)
        self._orders: dict[tuple[str, ...], NDArray[np.int64]] = {}
        self._rule = ContactRule(self._config.contact_height, self._config.contact_speed, self._config.contact_hysteresis)
        self._memory = new_memory(self._problem)

    @property
    def reference(self) -> Reference:
        """Return the robot's T-pose as calibrated."""
        return self._reference

    def reset(self) -> None:
        """Forget everything; the next frame is a first one."""
        self._memory = new_memory(self._problem)

    def step(self, frames: HumanFrames) -> Retargeted:
        """Follow one sample.

        Frames that are not finite, out of order or absurd are refused: position is None, and nothing is
        remembered of them. Bodies that are lost are left out.
        """
        human = read_human(frames, self._order(frames.names))
        reason = self._judge(frames, human)
        if reason:
            return self._refused(reason)
        first = not self._memory.started
        dt = _DT if first else (frames.stamp - self._memory.stamp) * 1e-9
        if not self._config.floating_base:
            _express_in_pelvis(human)
        if first:
            self._start(human)
        elif self._config.floating_base:
            track_feet(human, FEET, self._rule, dt, self._memory.tracks)
        self._set_goal(human, dt)
        self._set_prior(human, dt, first)
        self._solve(dt, first)
        self._memory.stamp, self._memory.dt, self._memory.started = frames.stamp, dt, True
        self._memory.root_human[:] = human.position[HIPS]
        return self._result()

    def _order(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        if names not in self._orders:
            self._orders[names] = np.array([BODIES.index(name) for name in names])
        return self._orders[names]

    def _judge(self, frames: HumanFrames, human: Human) -> str:
        """Return why a sample is refused, or ''."""
        if not human.valid[HIPS] or not human.valid[index_of("pelvis")]:
            return Reason.NOT_FINITE if not np.isfinite(frames.position).all() else _LOST_BODY
        if self._memory.started and frames.stamp <= self._memory.stamp:
            return Reason.OUT_OF_ORDER
        leg = _leg_length(human)
        return _ABSURD if leg and not 0.2 < leg < 2.0 else ""

    def _refused(self, reason: str) -> Retargeted:
        base = self._memory.pose
        q = np.empty(4)
        quaternion_of(base.rotation[0], q)
        return Retargeted(None, base.position[0], q, np.zeros(2, dtype=bool), (reason,))

    def _start(self, human: Human) -> None:
        m = self._memory
        m.leg_human = _leg_length(human) or 0.9
        m.tracks = new_tracks(m.leg_human)
        m.position[:] = self._problem.rest
        matrix_of(human.orientation[index_of("pelvis")], m.pose.rotation[0])
        if not self._config.floating_base:
            m.pose.position[0] = (0.0, 0.0, self._robot.description.base_height)
            return
        m.pose.position[0] = self._scale() * human.position[HIPS]
        track_feet(human, FEET, self._rule, _DT, m.tracks)

    def _scale(self) -> float:
        return self._leg / self._memory.leg_human

    def _set_goal(self, human: Human, dt: float) -> None:
        m, p = self._memory, self._problem
        place, known = np.zeros((len(human.valid), 3)), np.zeros(len(human.valid), dtype=bool)
        lay_out(human, self._edges, self._reference.length, place, known)
        m.goal.point[:] = place[p.point_human]
        m.goal.point_weight[:] = p.point_weight * known[p.point_human]
        m.goal.turn_weight[:] = p.turn_weight * human.valid[p.turn_human]
        turn = np.empty((3, 3))
        for i, body in enumerate(p.turn_human):
            if human.valid[body]:
                matrix_of(human.orientation[body], turn)
                m.goal.turn[i] = turn @ p.turn_reference[i]
        if self._config.floating_base:
            self._hold_soles(dt)

    def _hold_soles(self, dt: float) -> None:
        """Anchor soles that begin to stand where they are; let go gently those that leave."""
        m, p = self._memory, self._problem
        for s in range(2):
            body = p.sole_body[s]
            if m.tracks.standing[s]:
                if m.goal.hold[s] < 1.0 and m.started:
                    self._anchor(s, m.pose.position[body] + m.pose.rotation[body] @ p.sole_centre[s], m.pose.rotation[body])
                m.goal.hold[s] = float(m.started)
            else:
                m.goal.hold[s] *= np.exp(-dt / max(self._config.release, 1e-6))
                m.goal.hold[s] *= m.goal.hold[s] > 1e-3

    def _anchor(self, s: int, centre: FloatArray, rotation: FloatArray) -> None:
        m, p = self._memory, self._problem
        forward_axis = rotation @ p.sole_reference[s].T[:, 0]
        heading = np.arctan2(forward_axis[1], forward_axis[0])
        c, w = np.cos(heading), np.sin(heading)
        m.goal.anchor[s] = (centre[0], centre[1], 0.0)
        m.goal.flat[s] = np.array([[c, -w, 0.0], [w, c, 0.0], [0.0, 0.0, 1.0]]) @ p.sole_reference[s]

    def _set_prior(self, human: Human, dt: float, first: bool) -> None:
        m, p, c = self._memory, self._problem, self._config
        ratio = _DT / dt
        keep = 0.0 if first else c.momentum ** (1.0 / ratio) * dt / m.dt
        m.prior.position[:] = m.position + keep * m.change
        m.prior.weight[:] = 1e-2 if first else c.smoothing * ratio * ratio
        turn = np.empty((3, 3))
        exponential(keep * m.base_turn, turn)
        m.prior.base_rotation[:] = turn @ m.pose.rotation[0]
        m.prior.base_turn_weight[0] = 1e-6 if first else c.smoothing * ratio * ratio
        if not c.floating_base:
            m.prior.base_position[:] = m.pose.position[0]
            m.prior.base_weight[:] = 1.0
            return
        lever = self._target_base_rotation(human) @ p.root
        root = m.pose.position[0] + m.pose.rotation[0] @ p.root
        path = self._scale() * human.position[HIPS]
        followed = path if first else root + self._scale() * (human.position[HIPS] - m.root_human)
        total = c.base_follow + c.base_drift
        m.prior.base_position[:] = (c.base_follow * followed + c.base_drift * path) / total - lever
        m.prior.base_weight[:] = total
        m.prior.base_position[2] = self._base_height(human) - lever[2]
        m.prior.base_weight[2] = c.base_height

    def _target_base_rotation(self, human: Human) -> FloatArray:
        rotation = np.empty((3, 3))
        matrix_of(human.orientation[index_of("pelvis")], rotation)
        return rotation

    def _base_height(self, human: Human) -> float:
        """Return the height of the hips' middle that puts the lower foot at its scaled height [m]."""
        m, p = self._memory, self._problem
        height, total = 0.0, 0.0
        for s in range(2):
            row = int(np.flatnonzero(p.point_human == FEET[s, 0])[0])
            if m.goal.point_weight[row] > 0.0:
                clearance = m.tracks.clearance[s]
                ankle = float((p.sole_reference[s] @ (p.point_offset[row] - p.sole_centre[s]))[2])
                share = np.exp(-clearance / 0.02) + 1e-6
                height += share * (ankle + self._scale() * clearance - m.goal.point[row, 2])
                total += share
        return height / total if total > 0.0 else self._scale() * float(human.position[HIPS, 2])

    def _solve(self, dt: float, first: bool) -> None:
        m, p, c = self._memory, self._problem, self._config
        reach = np.minimum(self._max_velocity * dt, c.max_step)
        low = p.lower if first else np.maximum(p.lower, m.position - reach)
        high = p.upper if first else np.minimum(p.upper, m.position + reach)
        before, turned = m.position.copy(), m.pose.rotation[0].copy()
        box = Box(low, high, not c.floating_base)
        if first:
            approach(p, m.goal, m.prior, box, c.start_iterations, m.position, m.pose, m.rows)
        else:
            solve(p, m.goal, m.prior, box, c.iterations, m.position, m.pose, m.rows)
        m.change[:] = 0.0 if first else m.position - before
        between = np.empty((3, 3))
        transpose_multiply(m.pose.rotation[0], turned, between)
        logarithm(between, m.base_turn)
        if first:
            m.base_turn[:] = 0.0
        if c.floating_base:
            lift_out_of_floor(p, m.pose)

    def _result(self) -> Retargeted:
        m = self._memory
        q = np.empty(4)
        quaternion_of(m.pose.rotation[0], q)
        matrix_of(q, m.pose.rotation[0])
        return Retargeted(m.position, m.pose.position[0], q, m.tracks.standing)


def _leg_length(human: Human) -> float:
    """Return the mean length of the legs that are seen [m], 0 if none is."""
    lengths = []
    for thigh, shin, foot in _LEGS:
        if human.valid[thigh] and human.valid[shin] and human.valid[foot]:
            p = human.position
            lengths.append(np.linalg.norm(p[shin] - p[thigh]) + np.linalg.norm(p[foot] - p[shin]))
    return float(np.mean(lengths)) if lengths else 0.0


def _express_in_pelvis(human: Human) -> None:
    """Turn and shift a sample so that the pelvis is at the origin, upright and facing forward."""
    pelvis = index_of("pelvis")
    rotation, turned = np.empty((3, 3)), np.empty((3, 3))
    matrix_of(human.orientation[pelvis], rotation)
    human.position[:] = (human.position - human.position[pelvis]) @ rotation
    for i in np.flatnonzero(human.valid[: len(human.orientation)]):
        matrix_of(human.orientation[i], turned)
        quaternion_of(rotation.T @ turned, human.orientation[i])


def _with_hinges(problem: Problem, reference: Reference, robot: RobotModel, hinges: tuple[str, ...]) -> Problem:
    """Return the problem with hinges limited to the bending side of the straight limb."""
    lower, upper = problem.lower.copy(), problem.upper.copy()
    for i in robot.layout.indices(hinges):
        if reference.bent[i] > reference.position[i]:
            lower[i] = reference.position[i]
        else:
            upper[i] = reference.position[i]
    return problem._replace(lower=lower, upper=upper)
