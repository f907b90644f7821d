# SPDX-License-Identifier: Apache-2.0
"""Every launch file: short, explained, understood, and its parameters known to the nodes that it starts."""

import dataclasses
import importlib
from pathlib import Path

import pytest

from kata_model.config.params import info
from kata_nodes.entry import module_of
from kata_nodes.launching import read_launch_file

LAUNCH = Path(__file__).parents[2] / "launch"
FILES = sorted(LAUNCH.rglob("*.launch.xml"))


def elements(element):
    yield element
    for child in element.children:
        yield from elements(child)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_files_are_short_and_every_argument_is_explained(file):
    assert len(file.read_text().splitlines()) <= 100
    for element in read_launch_file(file).children:
        if element.tag == "arg":
            assert element.attributes["description"], element.where


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_parameters_are_those_of_the_node(file):
    for node in elements(read_launch_file(file)):
        if node.tag != "node":
            continue
        given = {child.attributes["name"] for child in node.children if child.tag == "param"} - {"use_sim_time"}
        assert given <= known_parameters(node.attributes["exec"]), node.where


def known_parameters(executable):
    """Return the fields of all config dataclasses that a node's module uses."""
    module = importlib.import_module(module_of(executable))
    configs = [c for c in vars(module).values() if isinstance(c, type) and dataclasses.is_dataclass(c)]
    of_parameters = [c for c in configs if all("param" in field.metadata for field in dataclasses.fields(c))]
    return {name for config in of_parameters if config.__name__.endswith("Config") for name in info(config)}


def test_a_program_starts_under_its_former_name_too():
    assert module_of("conductor") == module_of("episode_runner")
