"""A certificate authority of our own and a server certificate for loopback, made on first start.

kubectl sends no token over plain HTTP, so the port speaks TLS; the CA stands in the kubeconfig. EC keys, ten years:
the files live as long as the state directory, and nothing outside this machine trusts them.
"""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM texts: the authority's certificate, the server's chain and key."""

    authority: bytes
    chain: bytes
    key: bytes
    files: tuple[Path, Path] | None = None  # of chain and key, where they are kept

    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.files:
            context.load_cert_chain(*self.files)
        else:
            self._load_kept_nowhere(context)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _load_kept_nowhere(self, context: ssl.SSLContext) -> None:
        from tempfile import TemporaryDirectory  # 3 ms, which a start with a state directory is spared

        with TemporaryDirectory(prefix="lambent-tls-") as name:  # the ssl module reads files only
            chain, key = Path(name) / "chain", Path(name) / "key"
            chain.write_bytes(self.chain)
            _write_private(key, self.key)
            context.load_cert_chain(chain, key)


def load_or_make(directory: Path | None) -> Certificates:
    """Those kept in `directory`, made there when absent; `None` makes them for this process only."""
    if directory is None:
        return _made()
    paths = [directory / name for name in ("ca.crt", "server.crt", "server.key")]
    if not all(path.exists() for path in paths):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = _made()
        for path, content in zip(paths, (made.authority, made.chain, made.key), strict=True):
            _write_private(path, content)
    authority, chain, key = (path.read_bytes() for path in paths)
    return Certificates(authority, chain, key, files=(paths[1], paths[2]))


def _made() -> Certificates:
    from lambent.kubeserver.access.authority import make

    return Certificates(*make())


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
