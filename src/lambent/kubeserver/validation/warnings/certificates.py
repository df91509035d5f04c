"""Whether the certificate and the key of a TLS Secret belong together, in the words of Go's crypto/tls.

Source: RFC 7468 (PEM), Go's documentation of `tls.X509KeyPair`. Not here: which part of a broken certificate is broken.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from typing import Any

_BLOCK = re.compile(
    rb"^-----BEGIN ([^\n]*?)-----[ \t\r]*\n(?:[^\n:-][^\n:]*:[^\n]*\n)*([^:-]*)^-----END \1-----[ \t\r]*$", re.MULTILINE
)
_NO_SPACE = bytes.maketrans(b"", b""), b" \t\r\n"
_CERTIFICATE, _KEY = "CERTIFICATE", "PRIVATE KEY"


def secret(new: Any, old: Any) -> Iterator[str]:
    if new.get("type") == "kubernetes.io/tls":
        data = new.get("data") or {}
        if why := mismatch(b64decode(data.get("tls.crt") or ""), b64decode(data.get("tls.key") or "")):
            yield why


def mismatch(certificate: bytes, key: bytes) -> str:
    """What is wrong with the pair, both in PEM; "" when nothing is."""
    leaf, skipped = _first(certificate, _CERTIFICATE)
    if leaf is None:
        return f"tls: failed to find {_no_certificate(skipped)}"
    found, skipped = _first(key, _KEY)
    return f"tls: {_no_key(skipped)}" if found is None else _difference(leaf, found)


def _first(text: bytes, ending: str) -> tuple[bytes | None, list[str]]:
    """The first block of a type with that ending, and the types of the blocks before it."""
    skipped: list[str] = []
    for block in _BLOCK.finditer(text):
        kind = block[1].decode(errors="replace")
        try:
            body = b64decode(block[2].translate(*_NO_SPACE), validate=True)
        except Error:
            continue
        if kind.endswith(ending):
            return body, skipped
        skipped.append(kind)
    return None, skipped


def _no_certificate(skipped: list[str]) -> str:
    if not skipped:
        return "any PEM data in certificate input"
    if len(skipped) == 1 and skipped[0].endswith(_KEY):
        return (
            "certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"
        )
    listed = " ".join(skipped)
    return (
        f'"{_CERTIFICATE}" PEM block in certificate input after skipping PEM blocks of the following types: [{listed}]'
    )


def _no_key(skipped: list[str]) -> str:
    if not skipped:
        return "failed to find any PEM data in key input"
    if skipped == [_CERTIFICATE]:
        return "found a certificate rather than a key in the PEM for the private key"
    listed = " ".join(skipped)
    return (
        f'failed to find PEM block with type ending in "{_KEY}" in key input '
        f"after skipping PEM blocks of the following types: [{listed}]"
    )


def _difference(certificate: bytes, key: bytes) -> str:
    # A large library, and few servers are ever given a certificate.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
    from cryptography.x509 import load_der_x509_certificate

    try:
        public = load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "x509: malformed certificate"
    try:
        # The key only has to be this certificate's: the long tests of its numbers are left to who uses it.
        own = load_der_private_key(key, None, unsafe_skip_rsa_key_validation=True).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "tls: failed to parse private key"
    if type(own) is not type(public):
        return "tls: private key type does not match public key type"
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    is_same = own.public_bytes(*form) == public.public_bytes(*form)
    return "" if is_same else "tls: private key does not match public key"
