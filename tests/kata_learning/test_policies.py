# SPDX-License-Identifier: Apache-2.0
"""What holds of every policy: it learns, it is what its description says, chance comes from seeds alone."""

import pytest
import torch
from policy_makers import TERMS, batch_for, inputs_of, make_policy_of

from kata_learning.policies import POLICIES, describe, make_policy, restore
from kata_learning.policies.config import HeadConfig, MlpConfig
from kata_learning.policies.interface import Batch
from kata_learning.policies.spec import PolicySpec
from kata_model.errors import ConfigError
from kata_policy.observation import CameraSpec


@pytest.mark.parametrize("kind", POLICIES)
def test_it_learns_a_small_batch_by_heart(kind):
    policy = make_policy_of(kind)
    batch, draw = batch_for(policy.spec), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(policy.parameters(), lr=5e-3)
    with torch.no_grad():
        before = policy.eval()(*inputs_of(policy, batch))
    policy.train()
    for _ in range(100):
        optimiser.zero_grad()
        policy.loss(batch, draw).total.backward()
        optimiser.step()
    with torch.no_grad():
        after = policy.eval()(*inputs_of(policy, batch))
    weight = batch.valid.unsqueeze(-1)
    errors = [((chunk - batch.chunk).abs() * weight).mean().item() for chunk in (before, after)]
    assert errors[1] < 0.25 * errors[0]


@pytest.mark.parametrize("kind", POLICIES)
def test_chance_comes_from_seeds_alone(kind):
    losses = []
    for _ in range(2):
        policy = make_policy_of(kind, seed=3)
        torch.manual_seed(4)
        losses.append(policy.train().loss(batch_for(policy.spec), torch.Generator().manual_seed(7)).total.item())
    assert losses[0] == losses[1]


@pytest.mark.parametrize("kind", POLICIES)
def test_it_comes_back_from_its_description(kind):
    policy = make_policy_of(kind).eval()
    again = restore(describe(policy))
    again.load_state_dict(policy.state_dict())
    inputs = inputs_of(policy, batch_for(policy.spec))
    assert [tuple(values.shape[1:]) for values in inputs] == [term.shape for term in policy.inputs]
    with torch.no_grad():
        assert torch.equal(again.eval()(*inputs), policy(*inputs))


@pytest.mark.parametrize("kind", [kind for kind in POLICIES if not kind.startswith("diffusion")])
def test_actions_beyond_the_episode_do_not_count(kind):
    policy = make_policy_of(kind).eval()
    batch = batch_for(policy.spec)
    spoilt = torch.where(batch.valid.unsqueeze(-1), batch.chunk, 77.0)
    losses = [policy.loss(one, torch.Generator().manual_seed(1)).total for one in (batch, batch._replace(chunk=spoilt))]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)


@pytest.mark.parametrize("head", ["mse", "l1", "mixture", "discrete"])
@pytest.mark.parametrize("norm", ["none", "batch", "group", "layer"])
def test_each_head_learns_with_each_norm(head, norm):
    policy = make_policy_of("mlp", norm=norm, dropout=0.05, head=HeadConfig(head))
    batch = batch_for(policy.spec, 16)
    optimiser = torch.optim.Adam(policy.parameters(), lr=3e-3)
    losses = []
    for _ in range(80):
        loss = policy.train().loss(batch).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.5 * abs(losses[0]) or losses[-1] < 0.6 * losses[0]


def test_a_mixture_keeps_two_ways_apart():
    """A mean of two opposite motions would be neither; a mixture must choose one of them."""
    spec = PolicySpec(TERMS[:1], ("a", "b", "c"), 6, 50.0)
    policy = make_policy("mlp", spec, MlpConfig(hidden=32, layers=1, head=HeadConfig("mixture", modes=2)))
    batch = Batch(
        (torch.zeros(8, 1, 3),), (), torch.tensor([1.0, -1.0]).repeat(4)[:, None, None].expand(8, 6, 3), torch.ones(8, 6)
    )
    optimiser = torch.optim.Adam(policy.parameters(), lr=1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        policy.loss(batch).total.backward()
        optimiser.step()
    assert policy(torch.zeros(1, 3)).abs().mean().item() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "config", "cameras", "says"),
    [
        ("mpl", None, (), "unknown policy 'mpl'"),
        ("mlp", MlpConfig(hidden=0), (), "hidden is 0"),
        ("mlp", MlpConfig(norm="nrom"), (), "norm is 'nrom'"),
        ("mlp", MlpConfig(head=HeadConfig("discrete", bins=1)), (), "bins is 1"),
        ("mlp", None, (CameraSpec("head", 24, 32),), "does not look at pictures"),
    ],
)
def test_what_cannot_be_made_is_refused(kind, config, cameras, says):
    with pytest.raises(ConfigError, match=says):
        make_policy(kind, PolicySpec(TERMS, ("a",), 4, 50.0, 1, cameras), config)
