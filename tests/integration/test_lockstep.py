# SPDX-License-Identifier: Apache-2.0
"""Time in lockstep: the same run twice, whatever the machine does; who dies or hangs is named and ends the graph."""

import pytest
from std_srvs.srv import SetBool

from kata_msgs.msg import HumanFrames, Verdict

pytestmark = [pytest.mark.ros, pytest.mark.slow]

FOLLOWED = (Verdict.FOLLOWING, Verdict.LIMITED)


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_a_source_that_dies_is_held_within_100_ms(graph):
    graph.launch("sim", "camera_rate:=0")
    graph.launch("parts/source_operator")
    verdicts, frames = graph.hear(Verdict, "verdict"), graph.hear(HumanFrames, "frames")
    graph.run(0.2)
    assert graph.call(SetBool, "operator/engage", SetBool.Request(data=True)).success
    assert graph.until(lambda: verdicts[-1][1].status in FOLLOWED, 5.0)
    graph.kill("operator")
    graph.run(1.0)
    last = stamp_of(frames[-1][1])
    after = [(stamp_of(v) - last, v.status) for _, v in verdicts if stamp_of(v) > last]
    assert next(age for age, status in after if status == Verdict.HOLDING) <= 84_000_000
    assert not [age for age, status in after if age > 84_000_000 and status in FOLLOWED]
    assert verdicts[-1][1].reasons == ["stale_target"]
