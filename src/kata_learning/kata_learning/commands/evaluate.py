# SPDX-License-Identifier: Apache-2.0
"""Measure how often a policy succeeds, by rollouts in simulation.

The policy moves the simulated robot through the same safety filter as on the real one. The success rate
comes with its 95 % interval (Wilson): with 20 rollouts, 19 successes still mean anything from 0.76 to 0.99.

Example:
  kata evaluate runs/demo/policy.onnx --task reach --rollouts 50 --jobs 2
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from kata_learning.evaluation.evaluation import EvaluationConfig
    from kata_model.config.options import add_config

    parser.add_argument("policy", type=Path, metavar="POLICY", help="policy file, made by `kata export`")
    parser.add_argument("--task", help="task to attempt (default: the one that the policy was trained for)")
    parser.add_argument("--robot", default="g1", help="robot (default: g1)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="rollouts at a time, same result (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    add_config(parser, EvaluationConfig, "rollouts")


def run(args: argparse.Namespace) -> int:
    """Run the rollouts and print the success rate."""
    import json

    from tqdm import tqdm

    from kata_learning.evaluation.evaluation import EvaluationConfig, evaluate_file
    from kata_model.atomic import new_file
    from kata_model.config.options import take_config
    from kata_model.robot import load_robot
    from kata_policy.onnx_policy import OnnxPolicy

    config = take_config(EvaluationConfig, args)
    robot = load_robot(args.robot)
    policy = OnnxPolicy.load(args.policy, robot)
    task = args.task or policy.contract.task
    with tqdm(total=config.rollouts, desc="rollouts", unit="rollout", disable=None) as bar:
        result = evaluate_file(args.policy, robot, task, config, args.jobs, lambda _: bar.update() and None)
    numbers = result.numbers()
    if args.json:
        with new_file(args.json) as partial:
            partial.write_text(json.dumps(numbers, indent=1) + "\n")
    limit = f" of at most {config.timeout:g} s" if config.timeout else ""
    print(f"task      {task}, {config.rollouts} rollouts{limit}")
    print(f"success   {numbers['success_rate']:.2f} (95 %: {numbers['success_low']:.2f} to {numbers['success_high']:.2f})")
    if "seconds_to_success_median" in numbers:
        print(f"time      {numbers['seconds_to_success_median']:.2f} s to success, median")
    ticks = sum(result.statuses.values())
    print(f"safety    {', '.join(f'{name} {count / ticks:.1%}' for name, count in result.statuses.most_common())} of the ticks")
    if policy.contract.monitor:
        kinds = (("warnings", "warning"), ("holds", "hold"))
        parts = [
            f"{word} in {numbers[f'{key}_rollouts']:.0%} of the rollouts, {numbers[f'{key}_steps']:.1%} of the steps"
            for word, key in kinds
        ]
        print(f"monitor   {'; '.join(parts)}")
    return 0
