# SPDX-License-Identifier: Apache-2.0
"""Evaluate a policy by rollouts in simulation, through the safety filter that the robot runs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from kata_core.errors import DataError
from kata_core.params import param
from kata_core.policy import Certainty
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.robot import RobotModel
from kata_core.safety import SafetyConfig
from kata_learning.interval import wilson
from kata_learning.policy_loop import PolicyLoop

__all__ = ["EvaluationConfig", "EvaluationResult", "evaluate_policy"]


@dataclass(frozen=True)
class EvaluationConfig:
    """How a policy is evaluated."""

    rollouts: int = param(20, low=1, high=100_000, doc="Number of attempts.")
    timeout: float = param(6.0, unit="s", low=0.1, high=600.0, doc="Longest duration of an attempt.")
    seed: int = param(1000, low=0, doc="Attempt i starts from seed + i; demonstrations should use others.")
    decay: float = param(0.01, low=-10.0, high=10.0, doc="Weight decay of the temporal ensemble; above 0 old chunks count more.")


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
        DataError: The robot's scene has no such task.
    """
    from kata_sim import Simulation, run_rollout

    simulation = Simulation(robot)
    safety = SafetyConfig()
    try:
        if simulation.task is None or simulation.task.name != task:
            has = simulation.task.name if simulation.task else "none"
            raise DataError(f"{robot.description.name} has no task {task!r}", fix=f"there is: {has}")
        successes, seconds = [], []
        statuses: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        certainties = []
        for i in range(config.rollouts):
            loop = PolicyLoop(robot, policy, safety, config.decay)
            rollout = run_rollout(simulation, loop, seed=config.seed + i, rate=safety.rate, timeout=config.timeout)
            successes.append(rollout.success)
            seconds.append(rollout.elapsed)
            statuses += loop.statuses
            reasons += loop.reasons
            certainties.append(loop.certainties)
            if on_rollout is not None:
                on_rollout(rollout.success)
        return EvaluationResult(tuple(successes), tuple(seconds), statuses, reasons, tuple(certainties))
    finally:
        simulation.close()
