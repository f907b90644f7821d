# SPDX-License-Identifier: Apache-2.0
"""Beyond loopback: the pages by TLS with the console's own certificate, in a browser that trusts that one alone."""

import base64
import hashlib
import re
import subprocess

import pytest
from browser import WEB, Browser, why_no_browser
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pages import CONNECTED

from kata_nodes.console.policy_host import node_program

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture
def console(ros_domain, tmp_path):
    """Return link and certificate of a console that listens everywhere."""
    if why_no_browser():
        pytest.skip(why_no_browser())
    settings = {"host": "0.0.0.0", "state": tmp_path, "pages": WEB / "dist", "show_qr": "false"}
    given = [argument for name, value in settings.items() for argument in ("-p", f"{name}:={value}")]
    command = [node_program("console"), "--ros-args", *given]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = next((m.group(1) for line in process.stdout if (m := re.search(r"open (http\S+/#code=\w+)", line))), "")
    yield found, x509.load_pem_x509_certificate((tmp_path / "certificate.pem").read_bytes())
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0


def key_digest(certificate):
    """Return the SHA-256 of a certificate's public key as Chromium takes it."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def test_a_headset_pairs_by_tls_with_the_certificate_that_it_trusts(console):
    link, own = console
    assert link.startswith("https://") and "127.0.0.1" not in link
    browser = Browser(f"--ignore-certificate-errors-spki-list={key_digest(own)}")
    try:
        page = browser.open("headset", link.replace("/#", "/vr.html#"), (480, 320), headset=True)
        page.until(CONNECTED)
        assert page.evaluate("isSecureContext && location.protocol === 'https:' && navigator.xr !== undefined")
        page.until("!document.querySelector('#enter-ar').hidden && document.querySelector('#problem').hidden")
        assert page.evaluate("location.hash") == "", "the code does not stay in the address"
        assert not browser.faults()
    finally:
        browser.close()


def test_a_browser_that_does_not_know_the_certificate_is_warned(console):
    browser = Browser()
    try:
        with pytest.raises(AssertionError, match="ERR_CERT_AUTHORITY_INVALID"):
            browser.open("stranger", console[0])
    finally:
        browser.close()
