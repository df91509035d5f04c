"""An address that cannot be had is the user's to change: the error names the options that do it."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambent.errors import UsageError


@contextmanager
def port_option(*options: str) -> Iterator[None]:
    """Adds the options to a `UsageError` about listening."""
    try:
        yield
    except UsageError as error:
        told = f"{options[0]} changes it" if len(options) == 1 else f"{' and '.join(options)} change it"
        raise UsageError(f"{error}; {told}") from error
