# SPDX-License-Identifier: Apache-2.0
"""Evaluate a policy by rollouts in simulation, through the safety filter that the robot runs."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kata_data.bags.bag_pool import open_pool
from kata_learning.evaluation.arena import Arena, Attempt
from kata_learning.evaluation.interval import wilson
from kata_model.config.params import param
from kata_model.errors import KataError
from kata_model.robot import RobotModel
from kata_policy import Certainty
from kata_policy.onnx_policy import OnnxPolicy

__all__ = ["EvaluationConfig", "EvaluationResult", "evaluate_file", "evaluate_policy"]


@dataclass(frozen=True)
class EvaluationConfig:
    """How a policy is evaluated."""

    rollouts: int = param(20, low=1, high=100_000, doc="Number of attempts.")
    timeout: float = param(0.0, unit="s", low=0.0, high=600.0, doc="Longest duration of an attempt; 0 for the task's own.")
    seed: int = param(1000, low=0, doc="Attempt i starts from seed + i; demonstrations should use others.")
    delay: int = param(0, unit="steps", low=0, high=100, doc="Steps that inference is made to take.")


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What came of the rollouts.

    Attributes:
        successes: By rollout.
        seconds: Duration of each rollout [s].
        statuses: Ticks of the safety filter by status.
        reasons: Ticks by reason.
        certainties: Steps of the policy by its monitor's judgement, one count a rollout.
    """

    successes: tuple[bool, ...]
    seconds: tuple[float, ...]
    statuses: Counter[str]
    reasons: Counter[str]
    certainties: tuple[Counter[Certainty], ...]

    def numbers(self) -> dict[str, float]:
        """Return all figures as one flat object; the time to success is left out where nothing succeeded."""
        wins, trials = sum(self.successes), len(self.successes)
        low, high = wilson(wins, trials)
        won = sorted(t for t, success in zip(self.seconds, self.successes, strict=True) if success)
        ticks = max(1, sum(self.statuses.values()))
        return {
            "success_rate": wins / trials if trials else 0.0,
            "success_low": low,
            "success_high": high,
            "rollouts": trials,
            **({"seconds_to_success_median": won[len(won) // 2]} if won else {}),
            **{f"share_{name}": count / ticks for name, count in sorted(self.statuses.items())},
            **self._alarms("warning", Certainty.WARNING),
            **self._alarms("hold", Certainty.UNSURE),
        }

    def _alarms(self, name: str, least: Certainty) -> dict[str, float]:
        """Return the shares of steps, and of rollouts with any, at which the monitor was at least so unsure."""
        raised = [sum(steps for certainty, steps in count.items() if certainty >= least) for count in self.certainties]
        every = max(1, sum(count.total() for count in self.certainties))
        return {
            f"{name}_steps": sum(raised) / every,
            f"{name}_rollouts": sum(map(bool, raised)) / max(1, len(raised)),
        }


def evaluate_policy(
    policy: OnnxPolicy, robot: RobotModel, task: str, config: EvaluationConfig, on_rollout: Callable[[bool], None] | None = None
) -> EvaluationResult:
    """Run rollouts one after another; the same policy and config give the same result.

    Args:
        policy: The policy.
        robot: The robot.
        task: Name of the task.
        config: How often, how long, from which seeds.
        on_rollout: Called with the success of each.

    Raises:
        ConfigError: The robot has no such task, or the policy cannot attempt it.
    """
    arena, attempts = Arena(robot, policy, task, config.timeout), []
    try:
        for number in range(config.rollouts):
            attempts.append(arena.attempt(config.seed + number, config.delay))
            if on_rollout is not None:
                on_rollout(attempts[-1].success)
    finally:
        arena.close()
    return _joined(attempts)


def evaluate_file(
    path: Path,
    robot: RobotModel,
    task: str,
    config: EvaluationConfig,
    jobs: int = 1,
    on_rollout: Callable[[bool], None] | None = None,
) -> EvaluationResult:
    """Run the rollouts of a policy's file, several at a time; the result is that of one after another.

    Args:
        path: The policy's file.
        robot: The robot.
        task: Name of the task.
        config: How often, how long, from which seeds.
        jobs: Rollouts at a time, each in a process.
        on_rollout: Called with the success of each, in the order in which they end.

    Raises:
        ContractError: The file is no policy of the robot.
        ConfigError: The robot has no such task, or the policy cannot attempt it.
    """
    policy = OnnxPolicy.load(path, robot)
    if jobs <= 1:
        return evaluate_policy(policy, robot, task, config, on_rollout)
    attempts: dict[int, Attempt] = {}
    with open_pool(robot, jobs, config.rollouts) as pool:
        for number, outcome in pool.run(_attempt_in_process, [(path, task, config, i) for i in range(config.rollouts)]):
            if isinstance(outcome, KataError):
                raise outcome
            attempts[number] = outcome
            if on_rollout is not None:
                on_rollout(outcome.success)
    return _joined([attempts[number] for number in sorted(attempts)])


_arenas: dict[tuple[Path, str, float], Arena] = {}
"""The scene of a process that works for `evaluate_file`; it lives as long as the process."""


def _attempt_in_process(robot: RobotModel, path: Path, task: str, config: EvaluationConfig, number: int) -> Attempt:
    key = path, task, config.timeout
    if key not in _arenas:
        _arenas[key] = Arena(robot, OnnxPolicy.load(path, robot), task, config.timeout)
    return _arenas[key].attempt(config.seed + number, config.delay)


def _joined(attempts: Sequence[Attempt]) -> EvaluationResult:
    empty: Counter[str] = Counter()
    return EvaluationResult(
        tuple(attempt.success for attempt in attempts),
        tuple(attempt.seconds for attempt in attempts),
        sum((attempt.statuses for attempt in attempts), empty),
        sum((attempt.reasons for attempt in attempts), empty),
        tuple(attempt.certainties for attempt in attempts),
    )
