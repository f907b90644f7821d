# SPDX-License-Identifier: Apache-2.0
"""All that says how a policy comes about, but for the data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from kata_learning.augmentation.config import AugmentConfig
from kata_learning.policies.config import MlpConfig
from kata_learning.policies.registry import POLICIES
from kata_learning.policies.spec import PolicySpec
from kata_learning.training.train_config import TrainConfig
from kata_model.config.params import from_mapping
from kata_model.errors import DataError
from kata_policy.observation import CameraSpec, TermSpec

if TYPE_CHECKING:
    from kata_data.dataset import Dataset

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How a policy is shaped and trained.

    Attributes:
        kind: Name of the policy in `POLICIES`.
        shape: Its shape, of the kind's dataclass.
        train: How it is trained.
        augment: How demonstrations are varied.
        terms: What it sees of the dataset's terms; empty for all.
        cameras: Cameras that it looks through.
    """

    kind: str = "mlp"
    shape: Any = field(default_factory=MlpConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    terms: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()

    def spec(self, dataset: "Dataset") -> PolicySpec:
        """Return the border of a policy that learns from a dataset.

        Raises:
            DataError: The dataset lacks a term or camera.
        """
        about, kind = dataset.manifest, POLICIES[self.kind]
        for what, wanted, has in (("term", self.terms, about.terms), ("camera", self.cameras, about.cameras)):
            for name in wanted:
                if name not in has:
                    fix = f"its {what}s: {', '.join(has) or 'none'}; build the dataset with it, or choose another"
                    raise DataError(f"policy {self.kind} is to see the {what} {name!r}, which the dataset lacks", fix=fix)
        if kind.pictures == "must" and not self.cameras:
            fix = f"give --cameras; the dataset's cameras: {', '.join(about.cameras) or 'none'}"
            raise DataError(f"policy {self.kind} looks through cameras, and none is chosen", fix=fix)
        return PolicySpec(
            terms=tuple(TermSpec(name, shape) for name, shape in about.terms.items() if name in (self.terms or about.terms)),
            joint_names=about.joint_names,
            horizon=self.train.horizon or kind.horizon,
            rate=about.rate,
            history=self.train.history or kind.history,
            cameras=tuple(CameraSpec(name, about.cameras[name][0], about.cameras[name][1]) for name in self.cameras),
        )

    def to_mapping(self) -> dict[str, Any]:
        """Return the recipe as what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "Recipe":
        """Read what `to_mapping` gave.

        Raises:
            ConfigError: A value is unknown or out of range.
            KeyError, TypeError, ValueError: The data are no recipe.
        """
        return cls(
            kind=str(data["kind"]),
            shape=from_mapping(POLICIES[data["kind"]].config, data["shape"], where="shape"),
            train=from_mapping(TrainConfig, data["train"], where="train"),
            augment=from_mapping(AugmentConfig, data["augment"], where="augment"),
            terms=tuple(data["terms"]),
            cameras=tuple(data["cameras"]),
        )
