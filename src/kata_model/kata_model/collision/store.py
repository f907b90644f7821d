# SPDX-License-Identifier: Apache-2.0
"""Writes ``capsules.yaml``."""

from pathlib import Path

from kata_model.arrays import FloatArray
from kata_model.collision.capsules import CapsuleSet

__all__ = ["store_capsules"]

_HEAD = """\
# Capsules that stand for the links in self-collision, in the links' frames; fitted by `kata robot capsules`.
# ignore: pairs of links that overlap at rest or that no posture brings together.
"""


def store_capsules(found: CapsuleSet, file: Path) -> None:
    """Write capsules as text that a person can read and correct."""
    lines = ["capsules:"]
    for link in dict.fromkeys(c.link for c in found.capsules):
        lines.append(f"  {link}:")
        for c in found.capsules:
            if c.link == link:
                lines.append(f"    - {{from_m: {_vector(c.start)}, to_m: {_vector(c.end)}, radius_m: {c.radius:.4f}}}")
    lines.append("ignore:")
    lines += [f"  - [{a}, {b}]" for a, b in sorted(found.ignored)]
    file.write_text(_HEAD + "\n".join(lines) + "\n")


def _vector(values: FloatArray) -> str:
    return "[" + ", ".join(f"{value:.4f}" for value in values) + "]"
