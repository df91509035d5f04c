"""Whose account and which region a request belongs to, read from its SigV4 credential scope.

`LAMBENT_AUTH=parse`: the scope is read and believed. A 12-digit access key is itself the account; a configured map may
name others; everything else, unsigned requests too, is the default account and region. Not here: checking the
signature (`aws.sigv4`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_SCOPE = re.compile(rb"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_CACHE_LIMIT = 1024  # distinct scopes; a scope changes once a day per key and region


class Caller(NamedTuple):
    account: str
    region: str
    service: str = ""


@dataclass(slots=True)
class CallerReader:
    """`read(authorization header)`; equal scopes are answered from a small cache."""

    account: str = "123456789012"
    region: str = "us-east-1"
    accounts: Mapping[str, str] = field(default_factory=dict)
    _known: dict[bytes, Caller] = field(default_factory=dict)

    def read(self, authorization: bytes) -> Caller:
        end = authorization.find(b",")
        scope = authorization[:end] if end > 0 else authorization
        known = self._known.get(scope)
        return known if known is not None else self._remember(scope, authorization)

    def _remember(self, scope: bytes, authorization: bytes) -> Caller:
        found = _SCOPE.search(authorization)
        if found is None:
            return Caller(self.account, self.region)
        key, region, service = (part.decode("ascii", "replace") for part in found.groups())
        caller = Caller(self._account_of(key), region, service)
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        self._known[scope] = caller
        return caller

    def _account_of(self, key: str) -> str:
        if key in self.accounts:
            return self.accounts[key]
        return key if len(key) == 12 and key.isdigit() else self.account
