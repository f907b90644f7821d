# SPDX-License-Identifier: Apache-2.0
"""Measure policies: inference by ONNX Runtime as on the robot, and training beside plain PyTorch.

Inference: an MLP 90 → 3×512 → 29 on one thread; an ACT with 40 million weights and chunks of 100 actions, and a diffusion
U-Net with 17.6 million and ten steps, on two threads, as the figures that they are compared with. int8 is what `kata export
--int8 dynamic` makes; its error is in the spread of the displacements, on observations that are drawn at random.

Training: loss, gradient, clipping and AdamW for batches of 64, in turn with `plain_policies.py`, which is written with torch's
own layers as in the papers. The ratio is that of the median times. `act_train` is ACT as it comes, whose posterior sees four
actions as one token; `act_train_same` has one token for each, as the plain one, and differs in what it does not compute twice.
`_bfloat16` is ours by `--precision bfloat16`. `_gflop_s` is what a step's products of matrices come to, by the step's time;
`product_gflop_s` what this machine does in one large product of float32, which no training can pass.

  python benchmarks/policies.py --json policies.json
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from plain_policies import ActShape, PlainAct, PlainUnet, UnetShape
from torch.utils.flop_counter import FlopCounterMode

from kata_learning.export.onnx_graph import to_onnx, with_contract
from kata_learning.export.quantising import quantise
from kata_learning.policies import make_policy
from kata_learning.policies.config import ActConfig, DiffusionUnetConfig, MlpConfig
from kata_learning.policies.interface import Batch, Policy, Scaling
from kata_learning.policies.registry import kind_of
from kata_learning.policies.spec import PolicySpec
from kata_policy import PolicyContract, RuntimeConfig
from kata_policy.latency import Latency, likely_observations, measure_latency
from kata_policy.observation import TermSpec
from kata_policy.onnx_policy import OnnxPolicy

BATCH, THREADS = 64, 2
SPREAD = 0.1
"""Spread of the displacements [rad], about that of a chunk of the reach task."""
PARTS = ("mlp", "act", "unet", "act_train", "unet_train")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run (default: all)")
    parser.add_argument("--steps", type=int, default=3, metavar="N", help="training steps of ACT that are timed (default: 3)")
    args = parser.parse_args()
    torch.manual_seed(0)
    figures: dict[str, float] = {}
    for part in args.only:
        found = _MEASURES[part](args.steps)
        for name, value in found.items():
            print(f"{name:<26} {value:.4g}", flush=True)
        figures |= found
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def mlp(_: int) -> dict[str, float]:
    """Measure the small network, on one thread."""
    terms = (TermSpec("joint_position", (29,)), TermSpec("joint_velocity", (29,)), TermSpec("command", (32,)))
    policy = made("mlp", PolicySpec(terms, names(29), 1, 50.0), MlpConfig(hidden=512, layers=3))
    full, _, _ = latencies(policy, 20_000, RuntimeConfig(threads=1), smaller=False)
    return {"mlp_p50_us": full.p50 * 1e6, "mlp_p99_us": full.p99 * 1e6}


def act(_: int) -> dict[str, float]:
    """Measure ACT in float32 and int8."""
    policy = act_policy()
    full, small, error = latencies(policy, 200, RuntimeConfig(threads=THREADS))
    single, small_single, _ = latencies(policy, 100, RuntimeConfig(threads=1))
    return {
        "act_weights_m": weights(policy) / 1e6,
        "act_p50_ms": full.p50 * 1e3,
        "act_p99_ms": full.p99 * 1e3,
        "act_int8_p50_ms": small.p50 * 1e3,
        "act_int8_p99_ms": small.p99 * 1e3,
        "act_1_thread_p50_ms": single.p50 * 1e3,
        "act_int8_1_thread_p50_ms": small_single.p50 * 1e3,
        "act_int8_error": error,
    }


def unet(_: int) -> dict[str, float]:
    """Measure the U-Net with ten steps in float32 and int8."""
    policy = unet_policy()
    full, small, error = latencies(policy, 40, RuntimeConfig(threads=THREADS))
    return {
        "unet_weights_m": weights(policy) / 1e6,
        "unet_p50_ms": full.p50 * 1e3,
        "unet_p99_ms": full.p99 * 1e3,
        "unet_int8_p50_ms": small.p50 * 1e3,
        "unet_int8_error": error,
    }


def act_train(steps: int) -> dict[str, float]:
    """Train both ACTs in turn."""
    policy, same, plain = act_policy(), act_policy(patch=1), PlainAct(ActShape())
    batch = batch_for(policy)
    state, others = (term[:, 0] for term in batch.terms)
    steppers = {
        "act_train": trainer(policy, lambda: policy.loss(batch).total, fused=True),
        "act_train_same": trainer(same, lambda: same.loss(batch).total, fused=True),
        "act_train_bfloat16": trainer(half := act_policy(), lambda: bfloat16_loss(half, batch), fused=True),
        "act_train_plain": trainer(plain, lambda: plain.loss(state, others, batch.chunk, batch.valid), fused=False),
    }
    return (
        {"product_gflop_s": product_rate()}
        | compared("act_train", steppers, steps)
        | {"act_plain_weights_m": weights(plain) / 1e6}
    )


def unet_train(steps: int) -> dict[str, float]:
    """Train both U-Nets in turn."""
    shape, policy = UnetShape(), unet_policy()
    plain, batch = PlainUnet(shape), batch_for(policy)
    seen = torch.cat([term.flatten(1) for term in batch.terms], dim=-1)
    steppers = {
        "unet_train": trainer(policy, lambda: policy.loss(batch).total, fused=True),
        "unet_train_bfloat16": trainer(half := unet_policy(), lambda: bfloat16_loss(half, batch), fused=True),
        "unet_train_plain": trainer(plain, lambda: plain.loss(seen, batch.chunk, batch.valid), fused=False),
    }
    return (
        {"product_gflop_s": product_rate()}
        | compared("unet_train", steppers, 6 * steps)
        | {"unet_plain_weights_m": weights(plain) / 1e6}
    )


_MEASURES = {"mlp": mlp, "act": act, "unet": unet, "act_train": act_train, "unet_train": unet_train}


def act_policy(patch: int = ActConfig.patch) -> Policy:
    """Return our ACT in the size of `ActShape`; with a patch of 1 it computes what the plain one does."""
    shape = ActShape()
    terms = (TermSpec("joint_position", (shape.state,)), TermSpec("object_position", (shape.others,)))
    config = ActConfig(width=shape.width, heads=shape.heads, feedforward=shape.feedforward, patch=patch)
    return made("act", PolicySpec(terms, names(shape.joints), shape.horizon, 50.0), config)


def unet_policy() -> Policy:
    """Return our U-Net in the size of `UnetShape`."""
    shape = UnetShape()
    terms = (TermSpec("joint_position", (shape.joints,)), TermSpec("object_position", (shape.seen // 2 - shape.joints,)))
    config = DiffusionUnetConfig(width=shape.widths[0], levels=len(shape.widths), embedding=shape.embedding)
    return made("diffusion_unet", PolicySpec(terms, names(shape.joints), shape.horizon, 50.0, history=2), config)


def made(kind: str, spec: PolicySpec, config: object) -> Policy:
    """Return a policy with fresh weights and a likely scaling."""
    chunk = (spec.horizon, len(spec.joint_names))
    zeros, ones = (tuple(torch.full(term.shape, value) for term in spec.terms) for value in (0.0, 1.0))
    return make_policy(kind, spec, config, Scaling(zeros, ones, torch.zeros(chunk), torch.full(chunk, SPREAD)))


def names(count: int) -> tuple[str, ...]:
    """Return names of joints."""
    return tuple(f"joint_{i}" for i in range(count))


def weights(network: torch.nn.Module) -> int:
    """Return how many weights a network has."""
    return sum(values.numel() for values in network.parameters())


def batch_for(policy: Policy) -> Batch:
    """Return a random batch."""
    spec = policy.spec
    terms = tuple(torch.randn(BATCH, spec.history, *term.shape) for term in spec.terms)
    chunk = terms[0][:, -1:] + SPREAD * torch.randn(BATCH, spec.horizon, len(spec.joint_names))
    return Batch(terms, (), chunk, torch.ones(BATCH, spec.horizon, dtype=torch.bool))


def latencies(policy: Policy, count: int, runtime: RuntimeConfig, *, smaller: bool = True) -> tuple[Latency, Latency, float]:
    """Return the latency in float32 and in int8, and the largest error of the latter [rad]."""
    contract = PolicyContract(
        robot="none",
        task="none",
        joint_names=policy.spec.joint_names,
        terms=policy.spec.terms,
        rate=policy.spec.rate,
        horizon=policy.spec.horizon,
        action_kind="joint_position",
        normalisation={},
        stiffness=(),
        damping=(),
        data_hash="",
        commit="",
        kind=kind_of(policy),
        history=policy.spec.history,
        noise=policy.noise,
    )
    model = to_onnx(policy)
    full = timed(with_contract(model, contract), count, runtime)
    if not smaller:
        return full, full, 0.0
    generator = np.random.default_rng(0)
    rows = likely_observations(contract, 64, generator)
    inputs = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    inputs |= {term.name: generator.standard_normal((64, *term.shape), dtype=np.float32) for term in policy.noise}
    small, cost = quantise(model, "dynamic", inputs, inputs)
    return full, timed(with_contract(small, contract), count, runtime), cost.error_max


def timed(content: bytes, count: int, runtime: RuntimeConfig) -> Latency:
    """Return the latency of a policy file."""
    with tempfile.TemporaryDirectory(prefix="kata-policies-") as folder:
        path = Path(folder, "policy.onnx")
        path.write_bytes(content)
        return measure_latency(OnnxPolicy.open(path, runtime), count)


def trainer(network: torch.nn.Module, loss: Callable[[], torch.Tensor], *, fused: bool) -> Callable[[], None]:
    """Return a function that makes one step of training."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=fused)
    network.train()

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss())
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step


def bfloat16_loss(policy: Policy, batch: Batch) -> torch.Tensor:
    """Return the loss, computed as `train_policy` does with `--precision bfloat16`."""
    with torch.autocast("cpu", torch.bfloat16):
        return policy.loss(batch).total


def product_rate() -> float:
    """Return what one large product of float32 matrices comes to [GFLOP/s]."""
    torch.set_num_threads(THREADS)
    left, right = torch.randn(2, 2048, 2048)
    times = []
    for _ in range(12):
        before = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - before)
    return 2e-9 * 2048**3 / min(times)


def compared(name: str, steppers: dict[str, Callable[[], None]], steps: int) -> dict[str, float]:
    """Return samples a second of all, from steps in turn after an uncounted one each, and how much quicker each is than plain."""
    torch.set_num_threads(THREADS)
    taken: dict[str, list[float]] = {who: [] for who in steppers}
    products = {}
    for who, step in steppers.items():
        with FlopCounterMode(display=False) as counter:
            step()
        products[who] = 1e-9 * counter.get_total_flops()
    for _ in range(steps):
        for who, step in steppers.items():
            before = time.perf_counter()
            step()
            taken[who].append(time.perf_counter() - before)
    median = {who: statistics.median(times) for who, times in taken.items()}
    plain = median[f"{name}_plain"]
    ratios = {f"{who}_ratio": plain / value for who, value in median.items() if who != f"{name}_plain"}
    speed = {f"{who}_samples_s": BATCH / value for who, value in median.items()}
    return speed | ratios | {f"{who}_gflop_s": products[who] / value for who, value in median.items()}


if __name__ == "__main__":
    raise SystemExit(main())
