# SPDX-License-Identifier: Apache-2.0
"""A keystore in SROS2's layout: one authority, an enclave for each program, everything signed."""

import datetime
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from kata_model.atomic import new_folder
from kata_nodes.enclave import PREFIX
from kata_nodes.security.permissions import GOVERNANCE, permissions_xml
from kata_nodes.security.policy import NodePolicy

__all__ = ["MARKER", "make_keystore"]

MARKER = "public/ca.cert.pem"
"""File that shows that a folder is a keystore."""

_PROTECTED = 0o600


def make_keystore(folder: Path, policies: Sequence[NodePolicy], days: int, *, replace: bool = False) -> None:
    """Write a keystore, whole or not at all; all keys are new.

    Args:
        folder: Where to.
        policies: Of all programs.
        days: How long certificates and permissions are good.
        replace: Whether a keystore that is there may be replaced.

    Raises:
        DataError: The folder is there already and may not be replaced, or cannot be written.
    """
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    end = begin + datetime.timedelta(days=days)
    with new_folder(folder, MARKER, replace=replace) as root:
        for name in ("enclaves", "private", "public"):
            (root / name).mkdir()
        (root / "private").chmod(0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        authority = _certify("Kata CA", key.public_key(), "Kata CA", key, (begin, end), authority=True)
        _write_key(root / "private/ca.key.pem", key)
        (root / MARKER).write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        for role in ("identity_ca", "permissions_ca"):
            (root / f"private/{role}.key.pem").symlink_to("ca.key.pem")
            (root / f"public/{role}.cert.pem").symlink_to("ca.cert.pem")
        _sign(root / "enclaves/governance", GOVERNANCE, authority, key)
        for policy in policies:
            _enclave(root, policy, authority, key, (begin, end))


_Span = tuple[datetime.datetime, datetime.datetime]


def _enclave(
    root: Path, policy: NodePolicy, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, span: _Span
) -> None:
    subject = f"{PREFIX}/{policy.program}"
    folder = root / "enclaves" / subject.lstrip("/")
    folder.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    own = _certify(subject, key.public_key(), "Kata CA", authority_key, span, authority=False)
    _write_key(folder / "key.pem", key)
    (folder / "cert.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
    up = os.path.relpath(root, folder)
    for role in ("identity_ca", "permissions_ca"):
        (folder / f"{role}.cert.pem").symlink_to(f"{up}/public/{role}.cert.pem")
    (folder / "governance.p7s").symlink_to(f"{up}/enclaves/governance.p7s")
    _sign(folder / "permissions", permissions_xml(policy, subject, *span), authority, authority_key)


def _certify(
    subject: str,
    public: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    span: _Span,
    *,
    authority: bool,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=1 if authority else None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text = key.private_bytes(encoding, form, serialization.NoEncryption())
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PROTECTED), "wb") as stream:
        stream.write(text)


def _sign(base: Path, text: str, authority: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a document, and the same in an S/MIME envelope with its signature, as DDS Security asks for."""
    base.with_name(f"{base.name}.xml").write_text(text)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(text.encode()).add_signer(authority, key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.Text, pkcs7.PKCS7Options.DetachedSignature]
    base.with_name(f"{base.name}.p7s").write_bytes(builder.sign(serialization.Encoding.SMIME, options))
