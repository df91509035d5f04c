"""TLS contexts for the HTTP client."""

import os
import ssl
import tempfile

from lambent.kube.credentials import ClientCertificate


def client_context(*, ca: bytes | None, insecure: bool, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """A context that trusts `ca` (PEM; None: the system's roots) and shows `certificate` if there is one."""
    context = ssl.create_default_context(cadata=ca.decode() if ca else None)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _load(context, certificate)
    return context


def _load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """The ssl module reads certificates from files only; this one is private and gone at once."""
    descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate.certificate.rstrip() + b"\n" + certificate.key)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
