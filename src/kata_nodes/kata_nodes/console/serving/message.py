# SPDX-License-Identifier: Apache-2.0
"""What a client's text says: JSON without what its grammar lets through and nobody can use."""

import json
from typing import Any, NamedTuple

__all__ = ["Message", "read_message"]

_DEEPEST = 8
_LARGEST = 2.0**53
"""Largest number that a page can tell from its neighbours."""


class Message(NamedTuple):
    """A client's message: its fields, and why it is of no use, or an empty string."""

    fields: dict[str, Any]
    fault: str

    @property
    def kind(self) -> str:
        """Its type; empty without one."""
        kind = self.fields.get("type")
        return kind if isinstance(kind, str) else ""


def read_message(text: str | bytes) -> Message:
    """Read a text; the fields are there as far as they can be read, so that a stop counts however it is written."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return Message({}, "not JSON")
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        return Message({}, "no object with a type")
    return Message(fields, _fault(fields, 0))


def _fault(value: Any, depth: int) -> str:
    if depth > _DEEPEST:
        return f"nested deeper than {_DEEPEST}"
    if isinstance(value, dict):
        return next(filter(None, (_fault(part, depth + 1) for pair in value.items() for part in pair)), "")
    if isinstance(value, list):
        return next(filter(None, (_fault(part, depth + 1) for part in value)), "")
    if isinstance(value, str):
        return "half of a character" if any("\ud800" <= sign <= "\udfff" for sign in value) else ""
    return "" if value is None or -_LARGEST <= value <= _LARGEST else "a number beyond 2^53, or none"
