# SPDX-License-Identifier: Apache-2.0
"""A key that is given twice is told, with both its lines; every file of config/ is free of such."""

from pathlib import Path

import pytest
import yaml

from kata_model.config.yaml_data import load_yaml

ROOT = Path(__file__).resolve().parents[2]


def test_a_key_given_twice_is_told_with_both_lines():
    with pytest.raises(yaml.YAMLError, match=r"'speed' is given twice, first in line 2(.|\n)*line 4"):
        load_yaml("limits:\n  speed: 1.0\n  effort: 3.0\n  speed: 9.0\n")


def test_equal_keys_of_different_mappings_and_merged_ones_are_fine():
    text = "base: &base {speed: 1.0}\nleft: {<<: *base, effort: 2.0}\nright: {<<: *base, speed: 3.0}\n"
    assert load_yaml(text)["right"] == {"speed": 3.0}
    assert load_yaml(text)["left"] == {"speed": 1.0, "effort": 2.0}


@pytest.mark.parametrize("file", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda file: str(file.relative_to(ROOT)))
def test_configuration_gives_no_key_twice(file):
    assert load_yaml(file.read_text())
