# SPDX-License-Identifier: Apache-2.0
"""The dataset's benchmark says of the code what a busy machine does not change."""

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "dataset.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("dataset_benchmark", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_how_fast_a_build_is_does_not_hang_on_who_else_uses_the_cores(benchmark):
    quiet, busy = (benchmark.build_figures(320.0, wall, 22.0, 5.0, 2) for wall in (12.0, 120.0))
    assert quiet["build_speedup"] == busy["build_speedup"] == pytest.approx(29.1, abs=0.1)
    assert quiet["build_over_decoding"] == busy["build_over_decoding"]


def test_a_reader_is_rated_by_the_processor_time_it_takes(benchmark):
    def waiting(seconds: float) -> Iterator[int]:
        while True:
            end = time.process_time() + 0.002
            while time.process_time() < end:
                pass
            time.sleep(seconds)  # as one does who must wait for a core
            yield 10

    rates = benchmark.take_turns({"free": waiting(0.0), "held_up": waiting(0.01)}, 0.2, rounds=2)
    assert rates["held_up"].cpu == pytest.approx(rates["free"].cpu, rel=0.3)
    assert rates["held_up"].wall < 0.5 * rates["free"].cpu
