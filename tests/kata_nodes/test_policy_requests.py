# SPDX-License-Identifier: Apache-2.0
"""The console says what a policy is at that has ended or given up."""

from types import SimpleNamespace

import pytest

from kata_nodes.console.policy_requests import notice_end
from kata_policy.running.runner import Phase


def session(phase, state="running", ended=False):
    """Return a session whose policy's node said what it is at."""
    told: list[dict] = []
    message = None if phase is None else SimpleNamespace(data=str(phase))
    return SimpleNamespace(
        policy_state=state,
        policy_text="",
        policies=SimpleNamespace(ended=ended, known=[], file="p.onnx", contract=None),
        graph=SimpleNamespace(policy_phase=SimpleNamespace(read=lambda: message)),
        tell_all=lambda kind, **fields: told.append({"kind": kind, **fields}),
        told=told,
    )


def test_a_policy_that_gave_up_is_told_once_and_may_be_started_anew() -> None:
    console = session(Phase.NEEDS_PERSON)
    notice_end(console)
    notice_end(console)
    (told,) = console.told
    assert (told["kind"], told["state"]) == ("policy", "ready")
    assert "needs you" in told["text"]


@pytest.mark.parametrize("phase", [None, Phase.IDLE, Phase.ACTING, Phase.DOUBTING, Phase.RETREATING])
def test_a_policy_that_is_at_work_is_left_alone(phase: Phase | None) -> None:
    console = session(phase)
    notice_end(console)
    assert (console.policy_state, console.told) == ("running", [])
