# SPDX-License-Identifier: Apache-2.0
"""DDS Security's two documents (OMG DDS-SECURITY 1.1, 9.4): governance of the domain, permissions of one enclave."""

import datetime
from collections.abc import Iterable
from xml.sax.saxutils import escape

from kata_nodes.security.policy import NodePolicy

__all__ = ["GOVERNANCE", "permissions_xml"]

_SCHEMA = "http://www.omg.org/spec/DDS-SECURITY/20170901/omg_shared_ca"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<dds xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

GOVERNANCE = f"""{_HEAD} xsi:noNamespaceSchemaLocation="{_SCHEMA}_governance.xsd">
  <domain_access_rules>
    <domain_rule>
      <domains><id_range><min>0</min><max>232</max></id_range></domains>
      <allow_unauthenticated_participants>false</allow_unauthenticated_participants>
      <enable_join_access_control>true</enable_join_access_control>
      <discovery_protection_kind>ENCRYPT</discovery_protection_kind>
      <liveliness_protection_kind>ENCRYPT</liveliness_protection_kind>
      <rtps_protection_kind>SIGN</rtps_protection_kind>
      <topic_access_rules>
        <topic_rule>
          <topic_expression>*</topic_expression>
          <enable_discovery_protection>true</enable_discovery_protection>
          <enable_liveliness_protection>true</enable_liveliness_protection>
          <enable_read_access_control>true</enable_read_access_control>
          <enable_write_access_control>true</enable_write_access_control>
          <metadata_protection_kind>ENCRYPT</metadata_protection_kind>
          <data_protection_kind>ENCRYPT</data_protection_kind>
        </topic_rule>
      </topic_access_rules>
    </domain_rule>
  </domain_access_rules>
</dds>
"""
"""Nobody takes part unauthenticated; everything is encrypted and access-controlled."""

_PARAMETERS = (
    *("describe_parameters", "get_parameter_types", "get_parameters", "list_parameters"),
    *("set_parameters", "set_parameters_atomically", "get_type_description"),
)
_EVERYONE_SAYS = ("rosout", "parameter_events")
_EVERYONE_HEARS = ("clock", "parameter_events")


def permissions_xml(policy: NodePolicy, subject: str, begin: datetime.datetime, end: datetime.datetime) -> str:
    """Return what an enclave may do, everything else denied.

    Args:
        policy: Of its program.
        subject: Name in its certificate.
        begin: From when it counts (UTC).
        end: Until when.
    """
    own = [f"{policy.node}/{service}" for service in _PARAMETERS]
    says = [*_topics((*_EVERYONE_SAYS, *policy.publish)), *_requests(policy.call), *_replies((*own, *policy.serve))]
    hears = [*_topics((*_EVERYONE_HEARS, *policy.subscribe)), *_requests((*own, *policy.serve)), *_replies(policy.call)]
    return f"""{_HEAD} xsi:noNamespaceSchemaLocation="{_SCHEMA}_permissions.xsd">
  <permissions>
    <grant name="{escape(subject)}">
      <subject_name>CN={escape(subject)}</subject_name>
      <validity>
        <not_before>{begin:%Y-%m-%dT%H:%M:%S}</not_before>
        <not_after>{end:%Y-%m-%dT%H:%M:%S}</not_after>
      </validity>
      <allow_rule>
        <domains><id_range><min>0</min><max>232</max></id_range></domains>
        <publish>
          <topics>
{_lines(("ros_discovery_info", *says))}
          </topics>
        </publish>
        <subscribe>
          <topics>
{_lines(("ros_discovery_info", *hears))}
          </topics>
        </subscribe>
      </allow_rule>
      <default>DENY</default>
    </grant>
  </permissions>
</dds>
"""


def _topics(names: Iterable[str]) -> list[str]:
    return [f"rt/{name.removeprefix('/')}" for name in names]


def _requests(services: Iterable[str]) -> list[str]:
    return [f"rq/{service.removeprefix('/')}Request" for service in services]


def _replies(services: Iterable[str]) -> list[str]:
    return [f"rr/{service.removeprefix('/')}Reply" for service in services]


def _lines(names: Iterable[str]) -> str:
    return "\n".join(f"            <topic>{escape(name)}</topic>" for name in sorted(set(names)))
