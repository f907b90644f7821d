# SPDX-License-Identifier: Apache-2.0
"""Train a policy on a dataset by behaviour cloning.

`kata train POLICY` trains the policy of that name, `kata train` without a name an MLP; `kata train POLICY --help` shows what
can be set. Training stops by itself when the episodes kept for validation no longer get better, and the pass is kept that was
best: by validation loss, or with --rollouts by success in simulation. The folder RUN then holds the weights (policy.pt), the
configuration (config.json) and how the training went (metrics.csv, loss.png). A run that was cut off is finished by
`kata train --resume RUN`, with the weights that it would have had. Several processes share the work under `torchrun`.

Examples:
  kata train act --data runs/demo/dataset --out runs/demo/train
  kata train --resume runs/demo/train
  torchrun --nproc-per-node 2 -m kata train act --data runs/demo/dataset --out runs/demo/train
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_learning.training.job import Job


def main(argv: Sequence[str]) -> int:
    """Train and write the run."""
    job = None if "--resume" in argv else _job(argv)
    from kata_learning.training.training_job import resume_job, start_job

    return resume_job(_resumed(argv)) if job is None else start_job(job)


def _resumed(argv: Sequence[str]) -> Any:
    from pathlib import Path

    parser = argparse.ArgumentParser(prog="kata train", description="Finish a training that was cut off.")
    parser.add_argument("--resume", type=Path, required=True, metavar="RUN", help="folder of the training run")
    return parser.parse_args(list(argv)).resume


def _job(argv: Sequence[str]) -> "Job":
    """Read a command line; a policy that is not named is an MLP."""
    import dataclasses

    from kata_learning.augmentation.config import AugmentConfig
    from kata_learning.policies.registry import POLICIES
    from kata_learning.training.forms import flat, form_of, parse, subcommands, taken
    from kata_learning.training.job import Job
    from kata_learning.training.recipe import Recipe
    from kata_learning.training.train_config import TrainConfig

    forms: dict[str, type[Any]] = {}
    for name, kind in POLICIES.items():
        parts = {"shape": kind.config, "train": TrainConfig, "augment": AugmentConfig}
        made = {part: form_of(config) for part, config in parts.items()}
        fields = [(part, flat(form), dataclasses.field(default_factory=form)) for part, form in made.items()]
        forms[name] = dataclasses.make_dataclass(name, [("job", flat(Job)), *fields])
        forms[name].__doc__ = f"{kind.doc[:1].upper()}{kind.doc[1:]}."
    named = argv[:1] in (["-h"], ["--help"]) or not (argv and argv[0].startswith("-"))
    filled = parse(subcommands(forms), "kata train", __doc__ or "", argv if named else ["mlp", *argv])
    kind_name = type(filled).__name__
    recipe = Recipe(
        kind_name,
        taken(POLICIES[kind_name].config, filled.shape),
        taken(TrainConfig, filled.train),
        taken(AugmentConfig, filled.augment),
        tuple(filled.job.terms),
        tuple(filled.job.cameras),
    )
    job: Job = dataclasses.replace(filled.job, recipe=recipe)
    return job
