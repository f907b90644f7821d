# SPDX-License-Identifier: Apache-2.0
"""Export a trained policy to an ONNX file that describes itself.

The file carries a contract: robot, joints, what the policy sees, rate, gains, data and code version, how its chunks are
to be carried out, and a monitor: statistics with calibrated levels, by which the robot knows when the policy is where it was
never trained. Where its task is simulated, the monitor knows the policy's own attempts; else the demonstrations alone. A
robot that does not fit is refused when the file is loaded. Before anything is written, the file's answers are compared with
the trained network's on recorded observations.

With `--int8` weights take a quarter of the room; `auto` lets float32 and both kinds of int8 attempt the task in simulation
from the same starts, and takes the quickest that succeeds no less often than float32.

Example:
  kata export runs/demo/train --out runs/demo/policy.onnx
  kata export runs/demo/train --out runs/demo/policy.onnx --int8 auto --rollouts 50
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_learning.export.exporting import Graph
    from kata_policy import PolicyContract

_METHODS = ("dynamic", "static")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from kata_learning.export.monitoring import MonitorConfig
    from kata_model.config.options import add_config
    from kata_policy import ExecutionConfig

    parser.add_argument("run", type=Path, metavar="RUN", help="training run, made by `kata train`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write, e.g. policy.onnx")
    parser.add_argument("--data", type=Path, metavar="DIR", help="dataset of the training, if it was moved since")
    parser.add_argument("--int8", choices=("off", *_METHODS, "auto"), default="off", help="make weights smaller (default: off)")
    parser.add_argument(
        "--rollouts", type=int, default=20, metavar="N", help="attempts of each form with --int8 auto (default: 20)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="attempts at a time (default: all cores)"
    )
    add_config(parser, ExecutionConfig, "execution, as the file suggests it")
    add_config(parser, MonitorConfig, "monitor")


def run(args: argparse.Namespace) -> int:
    """Export and check."""
    from kata_data.dataset import load_dataset
    from kata_learning.export.exporting import make_graph, make_int8, with_monitor, write_graph
    from kata_learning.export.monitoring import MonitorConfig
    from kata_learning.training.run_folder import load_run
    from kata_model.config.options import take_config
    from kata_policy import ExecutionConfig

    trained = load_run(args.run)
    dataset = load_dataset(args.data or trained.data)
    monitor, execution = take_config(MonitorConfig, args), take_config(ExecutionConfig, args)
    graph = make_graph(trained, dataset, execution, where=str(args.out))
    if args.int8 != "off":
        methods = _METHODS if args.int8 == "auto" else (args.int8,)
        smaller = {method: make_int8(graph, trained, dataset, method) for method in methods}
        graph = _choose({"float32": graph, **smaller}, args) if args.int8 == "auto" else smaller[args.int8]
    graph = with_monitor(graph, trained, dataset, monitor, args.jobs)
    write_graph(graph, args.out)
    contract = graph.contract
    print(f"policy    {args.out} ({args.out.stat().st_size / 1e3:.0f} kB)")
    joints, rate = len(contract.joint_names), f"{contract.rate:g} Hz"
    print(f"robot     {contract.robot}, {joints} joints at {rate}, {contract.horizon} actions a chunk")
    print(f"sees      {', '.join([*(term.name for term in contract.terms), *(camera.input for camera in contract.cameras)])}")
    print(f"monitor   {_levels(contract)}")
    print(f"parity    {graph.difference:.1e} rad from torch")
    if contract.quantisation:
        print(f"int8      {contract.quantisation.method}, off by at most {contract.quantisation.error_max:.1e} rad")
    return 0


def _choose(graphs: "dict[str, Graph]", args: Any) -> "Graph":
    """Let the forms of a policy compete, and say how that went."""
    from kata_learning.evaluation.choosing import best_trial, try_graphs
    from kata_learning.evaluation.evaluation import EvaluationConfig
    from kata_model.config.params import from_mapping
    from kata_model.robot import load_robot

    config = from_mapping(EvaluationConfig, {"rollouts": args.rollouts}, where="options")
    trials = try_graphs(graphs, load_robot(graphs["float32"].contract.robot), config)
    best = best_trial(trials)
    for trial in trials:
        cost = graphs[trial.name].contract.quantisation
        error = f", off by at most {cost.error_max:.1e} rad" if cost else ""
        chosen = " (taken)" if trial is best else ""
        print(f"{trial.name:<10}{trial.successes}/{trial.rollouts} succeed, {trial.p50 * 1e6:.0f} µs{error}{chosen}")
    return graphs[best.name]


def _levels(contract: "PolicyContract") -> str:
    spec = contract.monitor
    if spec is None:
        return "none"
    parts = [f"distance {spec.distance.warning:.2f} / {spec.distance.hold:.2f}"]
    for name, levels in (("disagreement", spec.disagreement), ("stillness", spec.stillness)):
        if levels:
            parts.append(f"{name} {levels.warning:.4f} / {levels.hold:.4f} rad")
    known = f"{spec.attempts} attempts" if spec.attempts else f"{spec.distance.episodes} demonstrations alone"
    return f"warns / holds beyond {', '.join(parts)}, {spec.steps} steps in a row; knows {known}"
