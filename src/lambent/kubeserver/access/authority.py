"""The making of a certificate authority and of the server certificate it signs.

Two certificates of a fixed form and a key, written in DER as RFC 5280 and RFC 5958 have it: importing what writes them
in the library that makes the keys would take a twelfth of a first start. A module of its own, since even the part that
makes keys takes longer to import than the files take to read. Not here: any other form of certificate.
"""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_LIFE = timedelta(days=3650)
_SKEW = timedelta(hours=1)  # a clock that is behind still accepts it

_TRUE, _INTEGER, _BITS, _OCTETS, _OID, _TEXT = b"\x01\x01\xff", 0x02, 0x03, 0x04, 0x06, 0x0C
_UTC_TIME, _GENERALIZED_TIME, _SEQUENCE, _SET, _VERSION, _EXTENSIONS = 0x17, 0x18, 0x30, 0x31, 0xA0, 0xA3


def _der(tag: int, *parts: bytes) -> bytes:
    """One value with its tag and length."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


_ECDSA_WITH_SHA256 = _der(_SEQUENCE, _der(_OID, bytes.fromhex("2a8648ce3d040302")))
# An elliptic curve, which is P-256 (RFC 5480).
_P256 = _der(_SEQUENCE, _der(_OID, bytes.fromhex("2a8648ce3d0201")), _der(_OID, bytes.fromhex("2a8648ce3d030107")))
_COMMON_NAME = _der(_OID, bytes.fromhex("550403"))


def _extension(number: int, value: bytes, *, critical: bool = False) -> bytes:
    """`number` is the last one of the object identifier 2.5.29.x."""
    oid = _der(_OID, bytes((0x55, 0x1D, number)))
    return _der(_SEQUENCE, oid, _TRUE if critical else b"", _der(_OCTETS, value))


_OF_AUTHORITY = (
    # Basic constraints: an authority, of which no further one follows.
    _extension(19, _der(_SEQUENCE, _TRUE, _der(_INTEGER, b"\0")), critical=True),
    # Key usage: bits 0, 5 and 6, which are signatures, certificates and revocation lists.
    _extension(15, _der(_BITS, b"\x01\x86"), critical=True),
)
_OF_SERVER = (
    # Alternative names: localhost, 127.0.0.1, ::1.
    _extension(17, _der(_SEQUENCE, _der(0x82, b"localhost"), _der(0x87, b"\x7f\0\0\1"), _der(0x87, bytes(15), b"\1"))),
    # Extended key usage: a TLS server.
    _extension(37, _der(_SEQUENCE, _der(_OID, bytes.fromhex("2b06010505070301")))),
)


def make() -> tuple[bytes, bytes, bytes]:
    """PEM texts: the authority's certificate, the server's chain and key."""
    root_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("lambent-ca", root_key, root_key, _OF_AUTHORITY)
    server = _certificate("lambent-kubeserver", server_key, root_key, _OF_SERVER)
    return authority, server + authority, _private(server_key)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, extensions: tuple[bytes, ...]
) -> bytes:
    now = datetime.now(UTC)
    # Which key this is and which signed it: strict clients, Python's from 3.13 on, take no certificate without.
    keys = _extension(14, _der(_OCTETS, _key_id(key))), _extension(35, _der(_SEQUENCE, _der(0x80, _key_id(signer))))
    signed = _der(
        _SEQUENCE,
        _der(_VERSION, _der(_INTEGER, b"\2")),  # counted from 0: the third
        _der(_INTEGER, b"\1" + secrets.token_bytes(19)),  # 20 bytes at most, and above 0
        _ECDSA_WITH_SHA256,
        _name("lambent-ca"),
        _der(_SEQUENCE, _time(now - _SKEW), _time(now + _LIFE)),
        _name(name),
        _der(_SEQUENCE, _P256, _der(_BITS, b"\0" + _point(key))),
        _der(_EXTENSIONS, _der(_SEQUENCE, *extensions, *keys)),
    )
    signature = signer.sign(signed, ec.ECDSA(SHA256()))
    return _pem("CERTIFICATE", _der(_SEQUENCE, signed, _ECDSA_WITH_SHA256, _der(_BITS, b"\0" + signature)))


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Source: RFC 5958 (PKCS #8) around RFC 5915."""
    number = key.private_numbers().private_value.to_bytes(32, "big")
    inner = _der(_SEQUENCE, _der(_INTEGER, b"\1"), _der(_OCTETS, number), _der(0xA1, _der(_BITS, b"\0" + _point(key))))
    return _pem("PRIVATE KEY", _der(_SEQUENCE, _der(_INTEGER, b"\0"), _P256, _der(_OCTETS, inner)))


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key, uncompressed (SEC 1, 2.3.3)."""
    numbers = key.public_key().public_numbers()
    return b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Source: RFC 7093, section 2, method 1."""
    return hashlib.sha256(_point(key)).digest()[:20]


def _name(common: str) -> bytes:
    return _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _COMMON_NAME, _der(_TEXT, common.encode()))))


def _time(moment: datetime) -> bytes:
    """Two digits of the year until 2049, four from then on (RFC 5280, 4.1.2.5)."""
    if moment.year < 2050:
        return _der(_UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return _der(_GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _pem(label: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = "".join(f"{text[start : start + 64]}\n" for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n".encode()
