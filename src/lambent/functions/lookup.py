"""From a name and qualifier to the record they mean: `$LATEST`, a version, or the version an alias points at."""

from lambent.aws.arn import LATEST
from lambent.functions import messages
from lambent.functions.backend import Backend, Named
from lambent.functions.record import FunctionRecord


async def resolve(backend: Backend, named: Named) -> FunctionRecord:
    """Raises ResourceNotFoundException; an unknown qualifier never falls back to `$LATEST`."""
    record = await backend.store.get(named.id, shown_arn=named.shown_arn)
    if named.qualifier in (None, LATEST):
        return record
    raise messages.function_not_found(named.shown_arn)
