# SPDX-License-Identifier: Apache-2.0
"""How a benchmark tells its figures: a table for people, JSON for programs."""

import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["tell"]


def tell(figures: Mapping[str, float], file: Path | None) -> None:
    """Print figures, one a line, and write them to a file, if one is given, as one flat object."""
    for name, value in figures.items():
        print(f"{name:<18} {value:10.3f}")
    if file:
        file.write_text(json.dumps(figures, indent=1) + "\n")
