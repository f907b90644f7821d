# SPDX-License-Identifier: Apache-2.0
"""A policy's inference in a thread of its own, so that the node's tick waits no longer than it may."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import perf_counter
from typing import NamedTuple

from kata_core.arrays import FloatArray
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.policy.pilot import Question

__all__ = ["Answer", "Inference"]


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


class Inference:
    """Answers one question at a time; ONNX Runtime lets go of Python's lock meanwhile."""

    def __init__(self, policy: OnnxPolicy) -> None:
        """Make ready; the thread starts with the first question."""
        self._policy = policy
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._running: Future[Answer] | None = None

    @property
    def busy(self) -> bool:
        """Whether a question has not been answered yet, or its answer not been taken."""
        return self._running is not None

    def ask(self, question: Question) -> None:
        """Begin with a question; must not be busy."""
        self._running = self._pool.submit(self._answer, question)

    def _answer(self, question: Question) -> Answer:
        begin = perf_counter()
        chunk = self._policy.act(question.observation)
        return Answer(question, chunk, perf_counter() - begin)

    def take(self, patience: float) -> Answer | None:
        """Return the answer, once.

        Args:
            patience: Longest time to wait for it [s].

        Returns:
            None if nothing was asked, or the answer takes longer.
        """
        if self._running is None:
            return None
        future = self._running
        wait((future,), timeout=patience)
        if not future.done():
            return None
        self._running = None
        return future.result()

    def close(self) -> None:
        """End the thread, after the answer that it works on."""
        self._pool.shutdown()
