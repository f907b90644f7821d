# SPDX-License-Identifier: Apache-2.0
"""Float32 or int8: what acts no worse in closed loop, and sooner."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kata_learning.evaluation.evaluation import EvaluationConfig, evaluate_policy
from kata_learning.export.exporting import Graph, write_graph
from kata_model.robot import RobotModel
from kata_policy.latency import measure_latency
from kata_policy.onnx_policy import OnnxPolicy

__all__ = ["Trial", "best_trial", "try_graphs"]

_INFERENCES = 200


@dataclass(frozen=True, slots=True)
class Trial:
    """How one form of a policy did.

    Attributes:
        name: ``float32`` or the int8 method.
        successes: Rollouts that succeeded.
        rollouts: Of these many, the same for all forms.
        p50: Median time of an inference [s].
    """

    name: str
    successes: int
    rollouts: int
    p50: float


def try_graphs(graphs: Mapping[str, Graph], robot: RobotModel, config: EvaluationConfig) -> list[Trial]:
    """Let each form of a policy attempt its task from the same starts.

    Args:
        graphs: The forms by name.
        robot: The robot.
        config: How often and from which seeds.

    Raises:
        DataError: The robot's scene does not have the policy's task.
        ContractError: The policy does not fit the robot.
    """
    trials = []
    with tempfile.TemporaryDirectory(prefix="kata-choose-") as folder:
        for name, graph in graphs.items():
            path = Path(folder, f"{name}.onnx")
            write_graph(graph, path)
            policy = OnnxPolicy.load(path, robot)
            result = evaluate_policy(policy, robot, graph.contract.task, config)
            latency = measure_latency(policy, _INFERENCES)
            trials.append(Trial(name, sum(result.successes), len(result.successes), latency.p50))
    return trials


def best_trial(trials: list[Trial]) -> Trial:
    """Return the quickest of those that succeed no less often than the first one, float32."""
    return min((trial for trial in trials if trial.successes >= trials[0].successes), key=lambda trial: trial.p50)
