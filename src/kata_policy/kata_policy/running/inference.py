# SPDX-License-Identifier: Apache-2.0
"""Who answers a policy's questions: at once, some steps later, or (kata_nodes) in a thread beside the loop."""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple, Protocol

from kata_model.arrays import FloatArray
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.running.controller import Question

__all__ = ["Answer", "Inference", "SteppedInference", "answer"]


class Answer(NamedTuple):
    """What came of a question.

    Attributes:
        question: What was asked.
        chunk: Shape (horizon, k), [rad].
        seconds: How long inference took.
    """

    question: Question
    chunk: FloatArray
    seconds: float


class Inference(Protocol):
    """Answers one question at a time."""

    @property
    def busy(self) -> bool:
        """Whether a question has not been answered yet, or its answer not been taken."""
        ...

    def ask(self, question: Question) -> None:
        """Begin with a question; must not be busy."""
        ...

    def take(self, *, wait: bool) -> Answer | None:
        """Return the answer, once; None if there is none yet. `wait`: whether the step may wait a little for it."""
        ...


class SteppedInference:
    """Answers within the step, or a fixed number of steps later, whatever the machine does.

    Args:
        policy: What answers.
        delay: Steps that inference is made to take.
        clock: What its duration is told by [s].
    """

    def __init__(self, policy: OnnxPolicy, delay: int = 0, clock: Callable[[], float] = perf_counter) -> None:
        """Start with nothing to do."""
        self._policy, self._delay, self._clock = policy, delay, clock
        self._asked: Question | None = None
        self._left = 0

    @property
    def busy(self) -> bool:
        """Whether an answer is due."""
        return self._asked is not None

    def ask(self, question: Question) -> None:
        """Begin with a question."""
        self._asked, self._left = question, self._delay

    def take(self, *, wait: bool) -> Answer | None:
        """Return the answer once its steps have passed: one passes where a step begins, which does not wait."""
        self._left -= not wait
        if self._asked is None or self._left > 0:
            return None
        question, self._asked = self._asked, None
        return answer(self._policy, question, self._clock)


def answer(policy: OnnxPolicy, question: Question, clock: Callable[[], float] = perf_counter) -> Answer:
    """Let a policy answer, and say how long that took."""
    begin = clock()
    chunk = policy.act(question.observation)
    return Answer(question, chunk, clock() - begin)
