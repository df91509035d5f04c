"""A certificate authority of our own and a server certificate for loopback, made on first start.

kubectl sends no token over plain HTTP, so the port speaks TLS; the CA stands in the kubeconfig. EC keys, ten years:
the files live as long as the state directory, and nothing outside this machine trusts them.
"""

import datetime
import ipaddress
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = datetime.timedelta(days=3650)
_SKEW = datetime.timedelta(hours=1)  # a clock that is behind still accepts it


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM texts: the authority's certificate, the server's chain and key."""

    authority: bytes
    chain: bytes
    key: bytes

    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory(prefix="lambent-tls-") as name:  # the ssl module reads files only
            chain, key = Path(name) / "chain", Path(name) / "key"
            chain.write_bytes(self.chain)
            _write_private(key, self.key)
            context.load_cert_chain(chain, key)
        context.set_alpn_protocols(["http/1.1"])
        return context


def load_or_make(directory: Path | None) -> Certificates:
    """Those kept in `directory`, made there when absent; `None` makes them for this process only."""
    if directory is None:
        return make()
    paths = [directory / name for name in ("ca.crt", "server.crt", "server.key")]
    if all(path.exists() for path in paths):
        return Certificates(*(path.read_bytes() for path in paths))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = make()
    for path, content in zip(paths, (made.authority, made.chain, made.key), strict=True):
        _write_private(path, content)
    return made


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def make() -> Certificates:
    root_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name("lambent-ca")
    root = _builder(root_name, root_name, root_key.public_key())
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    root_cert = root.add_extension(usage, critical=True).sign(root_key, hashes.SHA256())
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    server = _builder(_name("lambent-kubeserver"), root_name, server_key.public_key())
    server = server.add_extension(names, critical=False)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    server_cert = server.sign(root_key, hashes.SHA256())
    authority = root_cert.public_bytes(serialization.Encoding.PEM)
    key = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificates(authority, server_cert.public_bytes(serialization.Encoding.PEM) + authority, key)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
    )
