"""A port that cannot be had is the user's to change: the error names the option that does it."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambent.errors import UsageError


@contextmanager
def port_option(option: str) -> Iterator[None]:
    """Adds the option to a `UsageError` about listening."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{error}; {option} changes it") from error
