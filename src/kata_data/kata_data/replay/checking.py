# SPDX-License-Identifier: Apache-2.0
"""Check bags and retargeted trajectories with the safety layer, offline."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kata_data.bags.bag_info import find_bags
from kata_data.episodes.episode import Episode, read_episode
from kata_data.replay.replaying import Replayed, joint_states, replay_episode, targets
from kata_model.arrays import FloatArray
from kata_model.errors import DataError
from kata_model.robot import RobotModel
from kata_model.trajectory import Trajectory
from kata_model.verdict import Reason
from kata_safety import SafetyConfig, SafetyFilter
from kata_safety.check import KINDS, Motion, Passage, Usage, UsageMeter, Violation, find_violations, pass_motion, pass_recorded

__all__ = ["STREAMS", "Checked", "Checker", "find_inputs"]

STREAMS = ("target", "command", "measured")
"""What of a bag can be checked."""

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found in one file.

    Attributes:
        path: Bag or trajectory.
        stream: One of `STREAMS`, or ``trajectory``.
        motion: The motion that was checked.
        usage: How much of the limits it uses.
        violations: The gravest first.
        passage: What the filter makes of it.
        replayed: How the recorded verdicts compare; None where there are none.
        base: Base position [m] and orientation (xyzw) at each sample, shape (N, 7); None where the base is held.
    """

    path: Path
    stream: str
    motion: Motion
    usage: Usage
    violations: Sequence[Violation]
    passage: Passage
    replayed: Replayed | None = None
    base: FloatArray | None = None

    @property
    def clean(self) -> bool:
        """Return whether no limit is broken and no sample is; a repeated one does no harm."""
        return not self.violations and not set(self.motion.faults) - {Reason.DUPLICATED}

    def numbers(self) -> dict[str, object]:
        """Return all figures as one flat object."""
        ticks = max(1, len(self.passage.verdicts))
        counts = {kind: sum(v.kind == kind for v in self.violations) for kind in KINDS}
        flat: dict[str, object] = {
            "path": str(self.path),
            "stream": self.stream,
            "seconds": float(self.motion.seconds[-1]),
            "samples": len(self.motion),
            "clean": self.clean,
            **{f"violations_{kind}": count for kind, count in counts.items()},
            **{f"worst_{kind}": float(self.usage.share[kind].max()) for kind in KINDS},
            "least_separation_m": float(self.usage.apart.min()),
            **{f"fault_{name}": count for name, count in self.motion.faults.items()},
            **{f"share_{name}": count / ticks for name, count in sorted(self.passage.statuses.items())},
            **{f"reason_{name}": count / ticks for name, count in sorted(self.passage.reasons.items())},
            "greatest_change_rad": float(self.passage.change().max()),
        }
        if self.replayed:
            flat |= {"verdicts_compared": self.replayed.compared, "verdicts_equal": self.replayed.equal}
        return flat


def find_inputs(paths: Iterable[Path]) -> list[Path]:
    """Return bags and trajectories: each path is one, or a folder that holds some at any depth.

    Raises:
        DataError: A path does not exist, or holds neither.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DataError("no such file or folder", where=str(path), fix="name bags, trajectories (.npz) or folders of them")
        if path.is_file():
            found.append(path)
            continue
        bags = find_bags([path]) if any(path.rglob("metadata.yaml")) else []
        clips = sorted(path.rglob("*.npz"))
        if not bags and not clips:
            raise DataError(
                "holds neither bags nor trajectories", where=str(path), fix="name bags, .npz files or folders of them"
            )
        found += [*bags, *clips]
    return list(dict.fromkeys(found))


class Checker:
    """Checks one file after the other for one robot."""

    def __init__(self, robot: RobotModel, config: SafetyConfig, stream: str = "") -> None:
        """Prepare.

        Args:
            robot: The robot.
            config: Of the safety filter.
            stream: What of a bag is checked, one of `STREAMS`; empty for the first that a bag has.
        """
        self.robot, self._config, self._stream = robot, config, stream
        self.meter = UsageMeter(robot, config)

    def check(self, path: Path, tick: Tick = lambda: None) -> Checked:
        """Check a bag (a folder) or a trajectory (a file).

        Args:
            path: What `find_inputs` gave.
            tick: Called after each tick of the filter.

        Raises:
            DataError: The file is damaged, of another robot, or has too few samples.
        """
        return self._bag(path, tick) if path.is_dir() else self._trajectory(path, tick)

    def _trajectory(self, path: Path, tick: Tick) -> Checked:
        clip = Trajectory.load(path)
        order = self.robot.layout.order_of(clip.joint_names)
        if order is None:
            missing = sorted(set(self.robot.layout.names) - set(clip.joint_names))
            raise DataError(
                f"lacks joints of the robot: {', '.join(missing[:3])}", where=str(path), fix="name the robot with --robot"
            )
        motion = Motion.clean(np.round(clip.stamp * 1e9), clip.joint_position[:, order], where=str(path))
        usage = self.meter.measure(motion)
        passage = pass_motion(self._filter(), self.robot, motion, self._config.rate, tick)
        base = np.concatenate([clip.base_position, clip.base_orientation_xyzw], axis=1)
        whole = base if len(base) == len(motion) else None
        found = find_violations(motion, usage, self.robot.layout.names)
        return Checked(path, "trajectory", motion, usage, found, passage, base=whole)

    def _bag(self, path: Path, tick: Tick) -> Checked:
        episode = read_episode(path, self.robot.layout)
        stream, motion = self._motion(episode)
        usage = self.meter.measure(motion)
        replayed = None
        if episode.verdict is not None and episode.command is not None:
            replayed = replay_episode(self._filter, episode, 1.0 / self._config.rate, tick)
            passage = replayed.passage
        elif episode.target is not None:
            states = joint_states(episode.state)
            passage = pass_recorded(self._filter(), states, targets(episode), self._config.rate, tick)
        else:
            passage = pass_motion(self._filter(), self.robot, motion, self._config.rate, tick)
        found = find_violations(motion, usage, self.robot.layout.names)
        return Checked(path, stream, motion, usage, found, passage, replayed)

    def _motion(self, episode: Episode) -> tuple[str, Motion]:
        """Return the stream that is checked, and its motion."""
        series = {"target": episode.target, "command": episode.command, "measured": episode.state}
        wanted = self._stream or next(name for name in STREAMS if series[name] is not None)
        chosen, where = series[wanted], str(episode.info.path)
        if chosen is None:
            raise DataError(f"has no {wanted} stream", where=where, fix="choose another with --stream")
        return wanted, Motion.clean(chosen.stamp, chosen.position, where=where)

    def _filter(self) -> SafetyFilter:
        return SafetyFilter(self.robot, self._config)
