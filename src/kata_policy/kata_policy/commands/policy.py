# SPDX-License-Identifier: Apache-2.0
"""Look into a policy file, or measure how long it takes.

`info` prints the contract: what the policy sees and moves, at which rate, how it was trained and made smaller. `bench`
asks it again and again, alone, and prints median and 99th percentile of the time from an observation to a chunk.

Example:
  kata policy info runs/demo/policy.onnx
  kata policy bench runs/demo/policy.onnx --threads 1
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_policy import PolicyContract


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from kata_model.config.options import add_config
    from kata_policy import RuntimeConfig

    actions = parser.add_subparsers(dest="action", required=True, metavar="{info,bench}")
    info = actions.add_parser("info", help="print the contract")
    bench = actions.add_parser("bench", help="measure the time of an inference")
    for part in (info, bench):
        part.add_argument("file", type=Path, metavar="FILE", help="policy, e.g. policy.onnx")
        part.add_argument("--json", action="store_true", help="print one JSON object")
    bench.add_argument("--count", type=int, default=1000, metavar="N", help="inferences to measure (default: 1000)")
    add_config(bench, RuntimeConfig, "runtime")


def run(args: argparse.Namespace) -> int:
    """Print or measure."""
    return _info(args) if args.action == "info" else _bench(args)


def _info(args: argparse.Namespace) -> int:
    from kata_policy.onnx_policy import OnnxPolicy

    contract, size = OnnxPolicy.open(args.file).contract, args.file.stat().st_size
    if args.json:
        print(json.dumps({"file": str(args.file), "bytes": size, "contract": json.loads(contract.to_json())}))
        return 0
    for name, text in _lines(contract):
        print(f"{name:<13}{text}")
    print(f"{'size':<13}{size / 1e6:.2f} MB")
    return 0


def _bench(args: argparse.Namespace) -> int:
    from kata_model.config.options import take_config
    from kata_model.errors import ConfigError
    from kata_policy import RuntimeConfig
    from kata_policy.latency import measure_latency
    from kata_policy.onnx_policy import OnnxPolicy

    if args.count < 1:
        raise ConfigError(f"count is {args.count}", where="options", fix="measure 1 inference or more")
    runtime = take_config(RuntimeConfig, args)
    policy = OnnxPolicy.open(args.file, runtime)
    latency = measure_latency(policy, args.count)
    share = latency.p99 * policy.contract.rate
    if args.json:
        print(
            json.dumps({"file": str(args.file), **dataclasses.asdict(runtime), **dataclasses.asdict(latency), "p99_share": share})
        )
        return 0
    print(f"p50          {_duration(latency.p50)}")
    print(f"p99          {_duration(latency.p99)}, {100.0 * share:.2g} % of a step at {policy.contract.rate:g} Hz")
    print(f"measured     {latency.count} inferences, provider {runtime.provider}, threads {runtime.threads}")
    return 0


def _lines(contract: "PolicyContract") -> Iterator[tuple[str, str]]:
    """Yield what the contract says, in words."""
    yield "policy", f"{contract.kind or 'unnamed kind'}, {_precision(contract)}"
    yield "robot", f"{contract.robot}, task {contract.task}"
    yield "moves", f"{len(contract.joint_names)} joints: {', '.join(contract.joint_names)}"
    yield (
        "chunk",
        f"{contract.horizon} actions ({contract.action_kind}) at {contract.rate:g} Hz, {contract.horizon / contract.rate:.2f} s",
    )
    yield "sees", ", ".join(f"{term.name} {_shape(term.shape)}" for term in contract.terms) or "no terms"
    if contract.cameras:
        yield (
            "cameras",
            ", ".join(f"{camera.name} {camera.width}×{camera.height} {camera.colours}" for camera in contract.cameras),
        )
    yield "history", f"{contract.history} observation{'s' if contract.history > 1 else ''}"
    if contract.noise:
        yield "noise", ", ".join(f"{term.name} {_shape(term.shape)}" for term in contract.noise)
    hints = contract.execution
    yield "execution", f"{hints.mode}, " + ", ".join(f"{key} {value}" for key, value in _numbers(hints).items())
    yield "gains", f"stiffness {_range(contract.stiffness)} N·m/rad, damping {_range(contract.damping)} N·m·s/rad"
    spec = contract.monitor
    yield (
        "monitor",
        "none"
        if spec is None
        else f"warns beyond a distance of {spec.distance.warning:.2f}, holds beyond {spec.distance.hold:.2f}",
    )
    yield "data", contract.data_hash
    yield "code", contract.commit


def _precision(contract: "PolicyContract") -> str:
    cost = contract.quantisation
    if cost is None:
        return "float32"
    error = f"{cost.error_mean:.1e} rad in the mean, {cost.error_max:.1e} at most"
    return f"int8 ({cost.method}), off by {error}, on {cost.samples} held-out observations"


def _numbers(config: Any) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(config).items() if key != "mode"}


def _shape(shape: tuple[int, ...]) -> str:
    return f"({'×'.join(map(str, shape))})"


def _range(values: tuple[float, ...]) -> str:
    return f"{min(values):g}" if min(values) == max(values) else f"{min(values):g} to {max(values):g}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"
