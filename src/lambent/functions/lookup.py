"""From a name and qualifier to the record they mean: `$LATEST`, a version, or the version an alias points at."""

from lambent.aws.arn import LATEST, is_version
from lambent.functions import messages
from lambent.functions.aliases import find_alias
from lambent.functions.backend import Named
from lambent.functions.record import FunctionRecord
from lambent.functions.store import FunctionStore
from lambent.functions.versions import find_version, resolve_version


async def resolve(store: FunctionStore, named: Named) -> FunctionRecord:
    """Raises ResourceNotFoundException; an unknown qualifier never falls back to `$LATEST`."""
    current = await store.get(named.id, shown_arn=named.shown_arn)
    qualifier = named.qualifier
    if qualifier is None or qualifier == LATEST:
        return current
    if is_version(qualifier):
        found = await find_version(store, named.id, qualifier)
    else:
        alias = await find_alias(store, named.id, qualifier)
        found = await resolve_version(store, current, alias.version) if alias else None
    if found is None:
        raise messages.function_not_found(named.shown_arn)
    return found
