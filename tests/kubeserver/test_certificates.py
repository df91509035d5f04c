"""The certificates of the server's port, read and judged by another library."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from lambent.kubeserver.access.authority import _time, make
from lambent.kubeserver.access.certificates import Certificates, load_or_make

LOOPBACK = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


@pytest.fixture(scope="module")
def made() -> Certificates:
    return Certificates(*make())


def _verify(made: Certificates, subject: x509.DNSName | x509.IPAddress) -> None:
    server, authority = x509.load_pem_x509_certificates(made.chain)
    PolicyBuilder().store(Store([authority])).build_server_verifier(subject).verify(server, [])


@pytest.mark.parametrize("subject", LOOPBACK, ids=str)
def test_a_strict_verifier_takes_the_server_for_each_name_of_loopback(
    made: Certificates, subject: x509.DNSName | x509.IPAddress
) -> None:
    _verify(made, subject)


def test_the_server_is_taken_for_no_other_name(made: Certificates) -> None:
    with pytest.raises(VerificationError):
        _verify(made, x509.DNSName("example.org"))


def test_only_the_authority_may_sign_and_nothing_may_follow_it(made: Certificates) -> None:
    server, authority = x509.load_pem_x509_certificates(made.chain)
    assert x509.load_pem_x509_certificate(made.authority) == authority
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.critical, limits.value) == (True, x509.BasicConstraints(ca=True, path_length=0))
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage)
    allowed = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    assert (usage.critical, usage.value) == (True, allowed)
    assert all(type(extension.value) is not x509.BasicConstraints for extension in server.extensions)


def test_both_hold_from_an_hour_ago_for_ten_years(made: Certificates) -> None:
    now = datetime.now(UTC)
    for each in x509.load_pem_x509_certificates(made.chain):
        assert timedelta(hours=1) <= now - each.not_valid_before_utc < timedelta(hours=2)
        assert timedelta(days=3649) < each.not_valid_after_utc - now < timedelta(days=3651)


@pytest.mark.parametrize(
    ("year", "written"), [(2049, b"\x17\x0d490102030405Z"), (2050, b"\x18\x0f20500102030405Z")], ids=str
)
def test_years_from_2050_on_are_written_with_four_digits(year: int, written: bytes) -> None:
    assert _time(datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC)) == written


def test_a_client_that_keeps_to_the_letter_of_the_standard_shakes_hands(made: Certificates) -> None:
    """Python's own default from 3.13 on."""
    client = ssl.create_default_context(cadata=made.authority.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    there = made.ssl_context().wrap_bio(to_server, to_client, server_side=True)
    for side in (here, there, here, there):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert here.getpeercert()


def test_the_key_is_the_servers(made: Certificates) -> None:
    key = load_pem_private_key(made.key, password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    assert isinstance(key.curve, SECP256R1)
    assert key.public_key() == x509.load_pem_x509_certificate(made.chain).public_key()


def test_what_is_kept_is_private_and_serves_again(tmp_path: Path) -> None:
    first, again = (load_or_make(tmp_path / "tls") for _ in range(2))
    assert first == again
    assert first.files is not None
    assert all(path.stat().st_mode & 0o077 == 0 for path in first.files)
    assert again.ssl_context().get_ca_certs() == []
