# SPDX-License-Identifier: Apache-2.0
"""How bags become a dataset; apart from the building, so that `--help` need not wait for it."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["DatasetConfig"]


@dataclass(frozen=True)
class DatasetConfig:
    """How bags become a dataset."""

    rate: float = param(50.0, unit="Hz", low=1.0, high=1000.0, doc="Steps a second; the policy will run at this rate.")
    tolerance: float = param(0.05, unit="s", low=0.0, high=1.0, doc="Oldest sample that still counts for a step.")
    image_tolerance: float = param(0.15, unit="s", low=0.0, high=5.0, doc="Oldest picture that still counts for a step.")
    image_height: int = param(
        240, unit="px", low=0, high=4320, doc="Greatest height of stored pictures, never enlarged; 0: as recorded."
    )
    validation: float = param(0.15, low=0.0, high=0.9, doc="Share of the episodes that is kept for validation.")
    split_by: str = param("", doc="Label whose groups are not torn apart by the split, e.g. operator or session.")
    seed: int = param(0, low=0, doc="Seed of the split by episode.")
    failures: bool = param(False, doc="Take episodes that were saved as failures, too.")
