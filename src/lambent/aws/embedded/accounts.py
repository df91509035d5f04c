"""Whose request it is: the account behind an access key of the embedded AWS.

Order: a configured key, a key of twelve digits (which is itself the account), a key that the embedded IAM or
STS issued, else the default account. Regions come from the credential scope, else the default region.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent.aws.embedded.turn import turn

IssuedKeys = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Accounts:
    """`keys` maps configured access keys to accounts of twelve digits."""

    default: str = "123456789012"
    region: str = "us-east-1"
    keys: Mapping[str, str] = field(default_factory=dict)

    def of_key(self, access_key: str, issued: IssuedKeys) -> str:
        """The account of a key; `issued` knows the keys that IAM and STS gave out."""
        if access_key in self.keys:
            return self.keys[access_key]
        if len(access_key) == 12 and access_key.isdecimal():
            return access_key
        return issued(access_key) or self.default


def issued_by_moto(access_key: str) -> str | None:
    """The account whose embedded IAM or STS issued this key; called by who has the turn."""
    found = _issued(access_key)
    return found[0] if found else None


def issued_secret(access_key: str) -> str | None:
    """The secret of a key that the embedded IAM or STS issued, to verify signatures with."""
    with turn():
        found = _issued(access_key)
    return str(found[1].secret_access_key) if found else None


def _issued(access_key: str) -> tuple[str, Any] | None:
    """Account and key."""
    from moto.iam.models import iam_backends

    for account, partitions in list(iam_backends.items()):
        for backend in list(partitions.values()):
            if access_key in backend.access_keys:
                return str(account), backend.access_keys[access_key]
    return None
