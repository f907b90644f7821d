# SPDX-License-Identifier: Apache-2.0
"""The safety node's health in /diagnostics: levels of REP 107, reasons, latency by stage, the loop's punctuality."""

import time

import numpy as np
import pytest

pytestmark = pytest.mark.ros


def test_levels_reasons_latency_and_overruns(ros_domain: int) -> None:
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

    from kata_model import JointFlag, Reason, Status, Verdict
    from kata_nodes import qos
    from kata_nodes.safety.health import Health
    from kata_safety import LoopMonitor

    def verdict(status: Status, *reasons: str, flags: tuple[int, int] = (0, 0)) -> Verdict:
        bits = np.array(flags, dtype=np.uint8)
        return Verdict(status, reasons, bits, None, 1_000_000_000, 1_006_000_000, 1_010_000_000, 1_008_000_000)

    rclpy.init(domain_id=ros_domain)
    node, heard, loop = rclpy.create_node("safety"), [], LoopMonitor(0.004, 20)
    node.create_subscription(DiagnosticArray, "/diagnostics", heard.append, qos.EVENT)
    health = Health(node, loop, "g1", ("hip", "knee"))

    def report() -> dict[str, DiagnosticStatus]:
        before, end = len(heard), time.monotonic() + 20.0
        while len(heard) == before and time.monotonic() < end:
            health.publish()
            rclpy.spin_once(node, timeout_sec=0.2)
        return {status.name: status for status in heard[before].status}

    health.note(verdict(Status.FOLLOWING))
    found = report()
    assert set(found) == {"safety: filter", "safety: loop"}
    assert {status.level for status in found.values()} == {DiagnosticStatus.OK}
    values = {pair.key: pair.value for pair in found["safety: filter"].values}
    assert values["source_to_command_p50_p99_ms"] == "10.0 10.0"
    assert values["target_to_command_p50_p99_ms"] == "4.0 4.0"
    assert values["state_to_command_p50_p99_ms"] == "2.0 2.0"

    for now in (0, 4_000_000, 20_000_000):
        loop.tick(now)
    health.note(verdict(Status.HOLDING, Reason.STALE_TARGET))
    found = report()
    assert found["safety: filter"].level == DiagnosticStatus.WARN and "fallen silent" in found["safety: filter"].message
    assert found["safety: loop"].level == DiagnosticStatus.WARN and found["safety: loop"].message == "1 late ticks"
    assert found["safety: loop"].hardware_id == "g1"

    health.note(verdict(Status.STOPPED, Reason.TRACKING_ERROR, flags=(1, JointFlag.FEEDBACK)))
    assert report()["safety: filter"].message.endswith("measured wrongly (knee)")

    health.note(verdict(Status.STOPPED, Reason.EMERGENCY_STOP))
    found = report()
    assert found["safety: filter"].level == DiagnosticStatus.ERROR
    assert found["safety: loop"].level == DiagnosticStatus.OK, "no tick was late since the last report"
    node.destroy_node()
    rclpy.shutdown()
