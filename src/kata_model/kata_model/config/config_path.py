# SPDX-License-Identifier: Apache-2.0
"""Where Kata's configuration lies: installed share folder, source tree, or (robots alone) this package."""

import os
from collections.abc import Iterator
from pathlib import Path

from kata_model.errors import ConfigError

__all__ = ["find_config"]


def find_config(relative: str | Path) -> Path:
    """Return the path of a file or folder of ``config/``.

    An existing path is returned as it is; else $KATA_CONFIG_PATH, the share folders of an installed
    kata_bringup, and the source tree around this file, or the robots in this package, are searched in this order.

    Raises:
        ConfigError: Nothing of that name exists.
    """
    given = Path(relative)
    if given.exists():
        return given
    roots = list(_roots())
    for root in roots:
        if (root / given).exists():
            return root / given
    raise ConfigError(f"no {given} found", fix=f"searched: {', '.join(map(str, roots)) or 'nowhere'}; set KATA_CONFIG_PATH")


def _roots() -> Iterator[Path]:
    for entry in os.environ.get("KATA_CONFIG_PATH", "").split(os.pathsep):
        if entry:
            yield Path(entry)
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix and (Path(prefix) / "share/kata_bringup/config").is_dir():
            yield Path(prefix) / "share/kata_bringup/config"
    for parent in Path(__file__).resolve().parents:
        if (parent / "config/robots").is_dir():
            yield (parent / "config/robots").resolve().parent  # in the source tree a link
