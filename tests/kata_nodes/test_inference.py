# SPDX-License-Identifier: Apache-2.0
"""Inference runs beside the node's tick, and the tick waits no longer than it may."""

import threading
from concurrent.futures import wait

import numpy as np
import pytest

from kata_nodes.policy.inference import ThreadedInference
from kata_policy.running.controller import Question


class Gated:
    """Answers what it was asked, as soon as the test lets it."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def act(self, observation):
        assert self.gate.wait(10.0)
        return observation["x"][None].astype(float)


def question(step: int) -> Question:
    seen = {"x": np.array([float(step)], np.float32)}
    return Question(step, 1, present=seen, observation=seen)


def test_a_slow_answer_is_taken_later_and_once() -> None:
    policy = Gated()
    inference = ThreadedInference(policy, patience=0.01)
    inference.ask(question(7))
    assert inference.take(wait=True) is None
    assert inference.take(wait=False) is None
    assert inference.busy
    policy.gate.set()
    wait((inference._running,))
    answer = inference.take(wait=False)
    assert answer is not None
    assert (answer.question.step, answer.chunk.tolist()) == (7, [[7.0]])
    assert answer.seconds >= 0.0
    assert not inference.busy
    assert inference.take(wait=False) is None
    inference.close()


def test_nothing_asked_is_nothing_answered() -> None:
    inference = ThreadedInference(Gated(), patience=1.0)
    assert inference.take(wait=True) is None
    inference.close()


def test_what_inference_raises_is_raised_where_its_answer_is_taken() -> None:
    class Broken:
        def act(self, observation):
            raise ZeroDivisionError

    inference = ThreadedInference(Broken(), patience=10.0)
    inference.ask(question(1))
    with pytest.raises(ZeroDivisionError):
        inference.take(wait=True)
    assert not inference.busy
    inference.close()
