# SPDX-License-Identifier: Apache-2.0
"""The server's own certificate: made on first start, kept, shown by its fingerprint."""

import datetime
import ipaddress
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kata_model.atomic import new_file
from kata_model.errors import ConfigError

__all__ = ["Certificate", "addresses", "certificate", "is_loopback"]

_DAYS = 397  # the longest that browsers accept


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key.

    Attributes:
        certificate: PEM file.
        key: PEM file, readable by its owner alone.
        fingerprint: SHA-256 of the certificate, in pairs with colons, as browsers show it.
    """

    certificate: Path
    key: Path
    fingerprint: str

    def context(self) -> ssl.SSLContext:
        """Return a server's TLS context: 1.2 or newer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


def is_loopback(host: str) -> bool:
    """Return whether an address is reachable from this machine alone."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False


def addresses() -> list[str]:
    """Return this machine's own addresses towards others; no packet is sent for that."""
    found = set()
    with suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # documentation network, RFC 5737: only routes are looked up
        found.add(probe.getsockname()[0])
    return sorted(address for address in found if not is_loopback(address))


def certificate(folder: Path, names: list[str]) -> Certificate:
    """Return the certificate kept in a folder; a new one if there is none, it ends within a week, or lacks a name.

    Args:
        folder: Where it is kept.
        names: Host names and addresses that it must be good for.

    Raises:
        ConfigError: The folder cannot be written, or what is there cannot be read.
    """
    pem, key = folder / "certificate.pem", folder / "key.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (pem.is_file() and key.is_file() and _good(x509.load_pem_x509_certificate(pem.read_bytes()), names)):
            _make(pem, key, names)
        made = x509.load_pem_x509_certificate(pem.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"no usable certificate: {error}", where=str(folder), fix="remove the folder, it is made anew"
        ) from error
    return Certificate(pem, key, made.fingerprint(hashes.SHA256()).hex(":").upper())


def _good(made: x509.Certificate, names: list[str]) -> bool:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)
    held = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = set(held.get_values_for_type(x509.DNSName)) | {str(a) for a in held.get_values_for_type(x509.IPAddress)}
    return made.not_valid_after_utc > soon and set(names) <= known


def _make(pem: Path, key: Path, names: list[str]) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kata console")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(n) for n in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    with new_file(key) as partial:
        text = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    with new_file(pem) as partial:
        partial.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _name(text: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(text))
    return x509.DNSName(text)
