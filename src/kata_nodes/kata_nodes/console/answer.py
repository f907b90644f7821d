# SPDX-License-Identifier: Apache-2.0
"""What a client is told about its request."""

from typing import Any, NamedTuple

__all__ = ["Answer"]


class Answer(NamedTuple):
    """Done or not, words for a person, and fields that the request asked for."""

    ok: bool
    text: str = ""
    extra: dict[str, Any] | None = None
