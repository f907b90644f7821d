# SPDX-License-Identifier: Apache-2.0
"""Self-collision on the meshes, as the simulator sees it."""

from typing import NamedTuple

from kata_sim.simulation import Simulation

__all__ = ["Touch", "self_contacts"]


class Touch(NamedTuple):
    """Two links that touch.

    Attributes:
        first: Name of a link.
        second: Name of the other.
        depth: How deep they are in each other [m].
    """

    first: str
    second: str
    depth: float


def self_contacts(simulation: Simulation, depth: float = 0.0) -> list[Touch]:
    """Return the robot's contacts with itself at the last physics step, deeper than a depth [m].

    Pairs that touch at rest and links that share a joint are not in the simulator's model, so they are not found.
    """
    model, found = simulation.model, []
    root = model.body_rootid[model.body(simulation.robot.description.base_link).id]
    for contact in simulation.data.contact:
        bodies = [int(model.geom_bodyid[geom]) for geom in contact.geom]
        if all(model.body_rootid[body] == root for body in bodies) and -contact.dist > depth:
            first, second = (model.body(body).name for body in bodies)
            found.append(Touch(first, second, float(-contact.dist)))
    return found
