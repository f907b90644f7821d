# SPDX-License-Identifier: Apache-2.0
"""A keystore, checked without DDS: all there, certified by its authority, signed as it stands, as the policies say."""

import datetime
import email
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from kata_nodes.enclave import PREFIX
from kata_nodes.security.keystore import MARKER
from kata_nodes.security.permissions import GOVERNANCE, permissions_xml
from kata_nodes.security.policy import NodePolicy

__all__ = ["check_keystore"]

_FILES = ("cert.pem", "key.pem", "permissions.xml", "permissions.p7s")
_LINKS = ("identity_ca.cert.pem", "permissions_ca.cert.pem", "governance.p7s")


def check_keystore(folder: Path, policies: Sequence[NodePolicy], now: datetime.datetime) -> list[str]:
    """Return what is wrong with a keystore at a time (UTC), a line each; empty if nothing is.

    The signatures' own arithmetic is left to DDS and to ``openssl smime -verify``; here the signed text must be the plain one.
    """
    if not (folder / MARKER).is_file():
        return [f"{folder} is no keystore: it lacks {MARKER}"]
    authority = x509.load_pem_x509_certificate((folder / MARKER).read_bytes())
    faults = _keys_open(folder)
    faults += [] if _signed_text(folder / "enclaves/governance.p7s") == GOVERNANCE else ["governance is not this version's"]
    for policy in policies:
        faults += [f"{policy.program}: {fault}" for fault in _enclave(folder, policy, authority, now)]
    known = {policy.program for policy in policies}
    there = {p.name for p in (folder / "enclaves" / PREFIX.lstrip("/")).glob("*") if p.is_dir()}
    return faults + [f"{name}: an enclave that no policy names" for name in sorted(there - known)]


def _keys_open(folder: Path) -> list[str]:
    keys = [p for p in folder.rglob("*key.pem") if not p.is_symlink()]
    return [f"{key.relative_to(folder)} can be read by others" for key in keys if key.stat().st_mode & 0o077]


def _enclave(root: Path, policy: NodePolicy, authority: x509.Certificate, now: datetime.datetime) -> list[str]:
    subject = f"{PREFIX}/{policy.program}"
    folder = root / "enclaves" / subject.lstrip("/")
    if missing := [name for name in (*_FILES, *_LINKS) if not (folder / name).is_file()]:
        return [f"lacks {', '.join(missing)}"]
    try:
        own = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    except ValueError as error:
        return [f"certificate or key cannot be read: {error}"]
    faults = [] if own.public_key() == key.public_key() else ["its key is not its certificate's"]
    faults += [] if own.subject.rfc4514_string() == f"CN={subject}" else [f"its certificate is {own.subject.rfc4514_string()}'s"]
    try:
        own.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        faults.append("its certificate is not by this keystore's authority")
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        faults.append(f"its certificate ends at {own.not_valid_after_utc:%Y-%m-%d}")
    plain = (folder / "permissions.xml").read_text()
    faults += [] if _signed_text(folder / "permissions.p7s") == plain else ["what is signed is not permissions.xml"]
    return faults + _stale(policy, subject, plain)


def _stale(policy: NodePolicy, subject: str, plain: str) -> list[str]:
    """Return whether the permissions are others than the policy's of today; their dates do not count."""
    try:
        validity = ET.fromstring(plain).find("permissions/grant/validity")
        texts = [] if validity is None else [validity.findtext(name, "") for name in ("not_before", "not_after")]
        dates = [datetime.datetime.fromisoformat(text) for text in texts]
    except (ET.ParseError, ValueError) as error:
        return [f"permissions.xml cannot be read: {error}"]
    same = len(dates) == 2 and permissions_xml(policy, subject, dates[0], dates[1]) == plain
    return [] if same else ["its permissions are not config/security.yaml's: make the keystore anew"]


def _signed_text(file: Path) -> str:
    """Return the text of an S/MIME envelope, without the header that its signer added; empty if there is none."""
    for part in email.message_from_bytes(file.read_bytes()).walk():
        if part.get_content_type() == "text/plain":
            text = part.get_payload(decode=True)
            return bytes(text).decode().replace("\r\n", "\n") if isinstance(text, bytes) else ""
    return ""
