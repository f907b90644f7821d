# SPDX-License-Identifier: Apache-2.0
"""The table config/security.yaml, held against what nodes really publish, hear, serve and call."""

from fnmatch import fnmatchcase
from pathlib import Path

from kata_nodes.security import load_policies

__all__ = ["POLICIES", "beyond"]

POLICIES = Path(__file__).parents[2] / "config/security.yaml"
_OWN_SERVICES = (
    *("describe_parameters", "get_parameter_types", "get_parameters", "list_parameters"),
    *("set_parameters", "set_parameters_atomically", "get_type_description"),
)
_EVERYONES = {"/rosout", "/parameter_events", "/clock"}


def beyond(witness):
    """Return what nodes do that their policies do not grant, as far as a witness (a node) sees them, and whom it saw."""
    present, faults, seen = {name for name, _ in witness.get_node_names_and_namespaces()}, [], set()
    for policy in load_policies(POLICIES):
        for node in (name for name in present if fnmatchcase(name, policy.node)):
            seen.add(policy.program)
            for kind, look in (
                ("publish", witness.get_publisher_names_and_types_by_node),
                ("subscribe", witness.get_subscriber_names_and_types_by_node),
                ("serve", witness.get_service_names_and_types_by_node),
                ("call", witness.get_client_names_and_types_by_node),
            ):
                own = {f"/{node}/{service}" for service in _OWN_SERVICES} | _EVERYONES
                granted = [f"/{name.removeprefix('/')}" for name in getattr(policy, kind)]
                asked = {name for name, _ in look(node, "/")} - own
                faults += [f"{node} may not {kind} {a}" for a in sorted(asked) if not any(fnmatchcase(a, g) for g in granted)]
    return faults, seen
