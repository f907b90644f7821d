# SPDX-License-Identifier: Apache-2.0
"""A policy's inference in a thread of its own, so that the node's tick waits no longer than it may."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as _wait

from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.running.controller import Question
from kata_policy.running.inference import Answer, answer

__all__ = ["ThreadedInference"]


class ThreadedInference:
    """Answers one question at a time; ONNX Runtime lets go of Python's lock meanwhile.

    Args:
        policy: What answers.
        patience: Longest time that a step waits for an answer [s].
    """

    def __init__(self, policy: OnnxPolicy, patience: float) -> None:
        """Make ready; the thread starts with the first question."""
        self._policy, self._patience = policy, patience
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._running: Future[Answer] | None = None

    @property
    def busy(self) -> bool:
        """Whether a question has not been answered yet, or its answer not been taken."""
        return self._running is not None

    def ask(self, question: Question) -> None:
        """Begin with a question; must not be busy."""
        self._running = self._pool.submit(answer, self._policy, question)

    def take(self, *, wait: bool) -> Answer | None:
        """Return the answer, once; None if nothing was asked, or it takes longer than a step may wait."""
        if self._running is None:
            return None
        future = self._running
        _wait((future,), timeout=self._patience if wait else 0.0)
        if not future.done():
            return None
        self._running = None
        return future.result()

    def close(self) -> None:
        """End the thread, after the answer that it works on."""
        self._pool.shutdown()
