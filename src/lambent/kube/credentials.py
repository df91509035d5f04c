"""Who we are to an API server: tokens, token files, client certificates, `exec` plug-ins.

`headers()` is asked before each request and is cheap; `renew()` is called after a 401 and says whether a second try
makes sense. Nothing here logs or shows a secret. Source: Kubernetes documentation, "Authenticating",
"client-go credential plugins".
"""

import asyncio
import base64
import contextlib
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson

from lambent.clock import WallClock, parse_rfc3339, utc_now
from lambent.errors import UsageError

_log = logging.getLogger(__name__)
# Bound service account tokens rotate; kubelet renews them long before this matters.
_TOKEN_FILE_AGE_S = 60.0
_EXEC_LIMIT_S = 30.0
_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class ClientCertificate(NamedTuple):
    """PEM texts."""

    certificate: bytes
    key: bytes


class Credentials(Protocol):
    """What the HTTP client needs to know of its user."""

    async def headers(self) -> Mapping[str, str]: ...

    async def renew(self) -> bool:
        """After a 401: True when the next `headers()` or `certificate()` may differ."""
        ...

    def certificate(self) -> ClientCertificate | None: ...


@dataclass(frozen=True)
class StaticCredentials:
    """A token, a user with password, a client certificate, or nothing at all."""

    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    client_certificate: ClientCertificate | None = field(default=None, repr=False)

    async def headers(self) -> Mapping[str, str]:
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.username:
            pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}

    async def renew(self) -> bool:
        return False

    def certificate(self) -> ClientCertificate | None:
        return self.client_certificate


@dataclass
class TokenFile:
    """A token in a file, read again each 60 s and after a 401; the last good content wins over `fallback`."""

    path: Path
    fallback: str = field(default="", repr=False)
    client_certificate: ClientCertificate | None = field(default=None, repr=False)
    _token: str = field(default="", init=False, repr=False)
    _read_at: float = field(default=float("-inf"), init=False)

    async def headers(self) -> Mapping[str, str]:
        if asyncio.get_running_loop().time() - self._read_at >= _TOKEN_FILE_AGE_S:
            await self._read()
        token = self._token or self.fallback
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def renew(self) -> bool:
        """Always worth a second try: another call may have read the new token already."""
        await self._read()
        return True

    def certificate(self) -> ClientCertificate | None:
        return self.client_certificate

    async def _read(self) -> None:
        self._read_at = asyncio.get_running_loop().time()
        try:
            token = (await asyncio.to_thread(self.path.read_text)).strip()
        except OSError as error:
            _log.warning("cannot read the token file: %s", error.strerror)
            return
        self._token = token or self._token


@dataclass
class ExecPlugin:
    """An `exec` user of a kubeconfig: runs a command that prints an ExecCredential; cached until it expires."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = _EXEC_VERSIONS[0]
    cluster: Mapping[str, Any] | None = None
    install_hint: str = ""
    now: WallClock = utc_now
    _headers: Mapping[str, str] | None = field(default=None, init=False, repr=False)
    _certificate: ClientCertificate | None = field(default=None, init=False, repr=False)
    _expires: datetime | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)
    _generation: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.api_version not in _EXEC_VERSIONS:
            raise UsageError(
                f"exec plug-in {self.command}: apiVersion {self.api_version} is not one of {_EXEC_VERSIONS}"
            )

    async def headers(self) -> Mapping[str, str]:
        async with self._lock:
            if self._headers is None or (self._expires is not None and self.now() >= self._expires):
                await self._run()
            assert self._headers is not None
            return self._headers

    async def renew(self) -> bool:
        seen = self._generation
        async with self._lock:
            if self._generation == seen:
                await self._run()
        return True

    def certificate(self) -> ClientCertificate | None:
        return self._certificate

    async def _run(self) -> None:
        status = _credential_status(await self._output(), self.command)
        token = status.get("token")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        self._certificate = ClientCertificate(certificate.encode(), key.encode()) if certificate and key else None
        expires = status.get("expirationTimestamp")
        self._expires = parse_rfc3339(expires) if expires else None
        self._generation += 1

    async def _output(self) -> bytes:
        program = shutil.which(self.command, path={**os.environ, **self.env}.get("PATH"))
        if program is None:
            hint = f"; {self.install_hint}" if self.install_hint else ""
            raise UsageError(f"exec plug-in {self.command} is not installed{hint}")
        environment = {**os.environ, "KUBERNETES_EXEC_INFO": self._exec_info(), **self.env}
        process = await asyncio.create_subprocess_exec(
            program,
            *self.args,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_EXEC_LIMIT_S):
                output, _ = await process.communicate()
        except TimeoutError:
            raise UsageError(f"exec plug-in {self.command} gave no answer within {_EXEC_LIMIT_S:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise UsageError(f"exec plug-in {self.command} failed with exit code {process.returncode}")
        return output

    def _exec_info(self) -> str:
        spec: dict[str, Any] = {"interactive": False}
        if self.cluster is not None:
            spec["cluster"] = dict(self.cluster)
        return orjson.dumps({"kind": "ExecCredential", "apiVersion": self.api_version, "spec": spec}).decode()


def _credential_status(output: bytes, command: str) -> Mapping[str, Any]:
    try:
        status = orjson.loads(output)["status"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise UsageError(f"exec plug-in {command} printed no ExecCredential") from None
    if not isinstance(status, dict) or not (status.get("token") or status.get("clientCertificateData")):
        raise UsageError(f"exec plug-in {command} gave neither a token nor a certificate")
    return status
