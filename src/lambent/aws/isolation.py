"""This process without the user's AWS profiles.

With the embedded AWS a profile must never decide where a request goes or who signs it. Our own clients over HTTP have
sessions that read nothing of the shell (`wire`); this is for libraries that open sessions of their own.
"""

import os

_POINTERS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def forget_profiles() -> None:
    """Makes this process blind to the user's profiles, for libraries (moto) that open botocore sessions of their own:
    with AWS_PROFILE naming a profile that does not exist they would fail on import."""
    for name in _POINTERS:
        os.environ.pop(name, None)
    for name in _POINTERS[2:]:
        os.environ[name] = os.devnull
