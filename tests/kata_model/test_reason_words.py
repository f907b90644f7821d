# SPDX-License-Identifier: Apache-2.0
"""Every reason has words that an operator understands."""

from kata_model import Reason
from kata_model.reason_words import REASON_WORDS, explain

NAMES = {value for name, value in vars(Reason).items() if name.isupper()}


def test_every_reason_has_words() -> None:
    assert set(REASON_WORDS) >= NAMES
    assert all(len(words) <= 80 and not words.endswith(".") for words in REASON_WORDS.values())
    assert len(set(REASON_WORDS.values())) == len(REASON_WORDS)


def test_reasons_are_explained_in_one_line() -> None:
    assert explain([]) == ""
    assert explain(["falling", "brand_new"]) == "the robot is losing its balance; brand_new"
