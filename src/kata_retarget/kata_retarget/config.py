# SPDX-License-Identifier: Apache-2.0
"""Settings of whole-body retargeting."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["RetargetConfig"]


@dataclass(frozen=True)
class RetargetConfig:
    """How a body is followed; costs are relative to a keypoint's 1 per m² (see ``retarget.yaml``)."""

    floating_base: bool = param(True, doc="Whether the robot's base moves; if not, limbs follow relative to the pelvis.")
    iterations: int = param(4, low=1, high=100, doc="Gauss-Newton iterations for each frame at most.")
    start_iterations: int = param(60, low=1, high=1000, doc="Iterations for the first frame.")
    budget: float = param(
        0.0, unit="s", low=0.0, high=1.0, doc="Time for a frame's iterations; 0 counts iterations alone, so that replay is exact."
    )
    tolerance: float = param(0.1, unit="rad", low=1e-6, high=10.0, doc="Length of the last step over which none converged.")
    velocity_margin: float = param(
        0.9, unit="1", low=0.01, high=1.0, doc="Share of the joints' velocity limits that may be used."
    )
    max_velocity: float = param(12.0, unit="rad/s", low=0.1, high=100.0, doc="Cap on every joint's velocity.")
    max_step: float = param(0.45, unit="rad", low=0.01, high=3.0, doc="Cap on every joint's change from one frame to the next.")
    max_acceleration: float = param(
        200.0, unit="rad/s²", low=1.0, high=1e6, doc="Bound on every joint's acceleration; it can always brake before its limits."
    )
    smoothing: float = param(
        0.015, unit="1/rad²", low=0.0, high=10.0, doc="Cost of a change of joint velocity over a frame of 1/30 s."
    )
    momentum: float = param(0.9, unit="1", low=0.0, high=1.0, doc="Share of the last velocity that costs nothing to keep.")
    sweeps: int = param(8, low=0, high=1000, doc="Passes to and fro over a clip in offline mode.")
    jerk: float = param(0.1, unit="1/rad²", low=0.0, high=100.0, doc="Cost of jerk in offline mode, over a frame of 1/30 s.")
    posture: float = param(1e-4, unit="1/rad²", low=1e-9, high=1.0, doc="Cost of leaving the rest posture.")
    lock: float = param(30.0, unit="1/m²", low=0.0, high=1e5, doc="Cost of moving a sole that is on the floor.")
    flat: float = param(0.3, unit="1/rad²", low=0.0, high=1e4, doc="Cost of tilting or turning a sole that is on the floor.")
    floor: float = param(100.0, unit="1/m²", low=0.0, high=1e5, doc="Cost of a sole's corner under the floor.")
    collision: float = param(100.0, unit="1/m²", low=0.0, high=1e5, doc="Cost of links nearer to each other than the clearance.")
    clearance: float = param(0.003, unit="m", low=0.0, high=0.1, doc="Distance that links' capsules keep.")
    release: float = param(0.06, unit="s", low=0.0, high=1.0, doc="Time in which a sole comes free.")
    base_follow: float = param(0.1, unit="1/m²", low=1e-6, high=1e3, doc="Cost of not moving the base as the human's moves.")
    base_drift: float = param(0.002, unit="1/m²", low=0.0, high=1e3, doc="Cost of being off the human's scaled path.")
    base_height: float = param(0.3, unit="1/m²", low=0.0, high=1e3, doc="Cost of a base off its height over the human's feet.")
    contact_height: float = param(
        0.06, unit="m", low=0.001, high=0.5, doc="Height of a resting human foot at which contact ends."
    )
    contact_speed: float = param(0.45, unit="m/s", low=0.01, high=5.0, doc="Speed of a low human foot at which contact ends.")
    contact_hysteresis: float = param(
        1.6, unit="1", low=1.0, high=10.0, doc="How much further a foot must go to lose contact than to find it."
    )
