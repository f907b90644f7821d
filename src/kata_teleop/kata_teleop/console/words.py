# SPDX-License-Identifier: Apache-2.0
"""What reasons and causes mean to a person who stands beside the robot."""

from collections.abc import Sequence

from kata_model.reason_words import REASON_WORDS
from kata_teleop.engage.config import Cause

__all__ = ["cause_in_words", "reasons_in_words"]

_CAUSES = {
    Cause.TRACKING: "The hand is out of the headset's sight.",
    Cause.JUMP: "The tracking jumped.",
    Cause.NOT_FINITE: "The tracking gave numbers that are none.",
    Cause.SILENT: "Nothing comes from the hand's side any more.",
    Cause.LATE: "The network is too slow.",
    Cause.HIDDEN: "The page is hidden.",
    Cause.SOCKET: "The connection is gone.",
    Cause.STOPPED: "The robot is stopped: reset it first.",
    Cause.NO_STATE: "The robot's joints have not been heard yet.",
    Cause.NO_SEAT: "Only the operator may engage.",
    Cause.POLICY: "The policy moves the robot: take over first.",
    Cause.MISMATCH: "The pose is too far from the robot's: come nearer.",
    Cause.TURNED: "A joint of the leader is turned by a whole turn: switch it on again in the rest pose.",
}


def reasons_in_words(reasons: Sequence[str]) -> list[str]:
    """Return a sentence for each reason of a verdict; an unknown one is made readable."""
    return [_sentence(REASON_WORDS.get(reason, reason.replace("_", " "))) for reason in reasons]


def cause_in_words(cause: str) -> str:
    """Return a sentence for a cause of the engage contract; nothing for none."""
    return _CAUSES.get(cause, _sentence(cause.replace("_", " ")) if cause else "")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith("?") else ".")
