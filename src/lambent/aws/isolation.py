"""botocore without the shell: sessions that read neither AWS_* variables nor files under ~/.aws.

With the embedded AWS a profile of the user's must never decide where a request goes or who signs it. A session's
configuration store is filled with botocore's own defaults as constants, so no provider that looks elsewhere exists.
What remains (endpoint, region, keys) is given to every client explicitly.
"""

import os
from functools import cache
from typing import Any

from aiobotocore.session import AioSession
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore, ConstantProvider
from botocore.loaders import create_loader

# Where botocore would look for files; the null device reads as an empty one.
_FILES = ("config_file", "credentials_file")
_POINTERS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


@cache
def _shared_loader() -> Any:
    """Parsed service models are large and the same for every session."""
    return create_loader()


class IsolatedSession(AioSession):  # type: ignore[misc]  # the library is untyped
    """An aiobotocore session whose every setting is botocore's default."""

    def _register_data_loader(self) -> None:
        self._components.lazy_register_component("data_loader", _shared_loader)

    def _register_config_store(self) -> None:
        defaults: dict[str, Any] = {name: spec[2] for name, spec in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
        defaults |= dict.fromkeys(_FILES, os.devnull)
        defaults["profile"] = None
        store = ConfigValueStore(mapping={name: ConstantProvider(value) for name, value in defaults.items()})
        self._components.register_component("config_store", store)


def forget_profiles() -> None:
    """Makes this process blind to the user's profiles, for libraries (moto) that open botocore sessions of their own:
    with AWS_PROFILE naming a profile that does not exist they would fail on import."""
    for name in _POINTERS:
        os.environ.pop(name, None)
    for name in _POINTERS[2:]:
        os.environ[name] = os.devnull
