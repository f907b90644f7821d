# SPDX-License-Identifier: Apache-2.0
"""Export a trained policy to an ONNX file that describes itself.

The file carries a contract: robot, joints, what the policy sees, rate, gains, data and code version, and a
monitor: statistics of the demonstrations with calibrated levels, by which the robot knows when the policy is where
it was never trained. A robot that does not fit is refused when the file is loaded. Before anything is written, the file's
answers are compared with the trained network's on recorded observations.

Example:
  kata export runs/demo/train --out runs/demo/policy.onnx
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kata_core.policy import PolicyContract


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from kata_learning.monitoring import MonitorConfig
    from kata_learning.options import add_config

    parser.add_argument("run", type=Path, metavar="RUN", help="training run, made by `kata train`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write, e.g. policy.onnx")
    parser.add_argument("--data", type=Path, metavar="DIR", help="dataset of the training, if it was moved since")
    add_config(parser, MonitorConfig, "monitor")


def run(args: argparse.Namespace) -> int:
    """Export and check."""
    from kata_learning.dataset import load_dataset
    from kata_learning.exporting import export_policy
    from kata_learning.monitoring import MonitorConfig
    from kata_learning.options import take_config
    from kata_learning.run_folder import load_run

    trained = load_run(args.run)
    contract, difference = export_policy(
        trained, load_dataset(args.data or trained.data), args.out, take_config(MonitorConfig, args)
    )
    print(f"policy    {args.out} ({args.out.stat().st_size / 1e3:.0f} kB)")
    joints, rate = len(contract.joint_names), f"{contract.rate:g} Hz"
    print(f"robot     {contract.robot}, {joints} joints at {rate}, {contract.horizon} actions a chunk")
    print(f"sees      {', '.join(term.name for term in contract.terms)}")
    print(f"monitor   {_levels(contract)}")
    print(f"parity    {difference:.1e} rad from torch")
    return 0


def _levels(contract: "PolicyContract") -> str:
    spec = contract.monitor
    if spec is None:
        return "none"
    far, apart = spec.distance, spec.disagreement
    parts = [f"distance {far.warning:.2f} / {far.hold:.2f} ({far.episodes} episodes)"]
    if apart:
        parts.append(f"disagreement {apart.warning:.4f} / {apart.hold:.4f} rad ({apart.episodes} episodes)")
    return f"warns / holds beyond {', '.join(parts)}, {spec.steps} steps in a row"
