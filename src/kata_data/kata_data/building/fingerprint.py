# SPDX-License-Identifier: Apache-2.0
"""Tell whether a bag is the one that was read before, without reading it."""

import hashlib
from pathlib import Path

__all__ = ["fingerprint"]


def fingerprint(bag: Path) -> str:
    """Return a hash of a bag's metadata and of its files' names, sizes and times of change.

    Raises:
        OSError: The bag cannot be read.
    """
    digest = hashlib.sha256((bag / "metadata.yaml").read_bytes())
    for file in sorted(path for path in bag.iterdir() if path.is_file()):
        about = file.stat()
        digest.update(f"{file.name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]
