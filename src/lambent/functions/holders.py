"""Settings of a qualifier sit on the object that the qualifier names: function, version or alias.

So they follow the alias and not the version it points at, and end with the object. Here is the one way to read and to
change them.
"""

from collections.abc import Callable

from lambent.aws.arn import LATEST, is_version
from lambent.functions import messages
from lambent.functions.aliases import AliasRecord, aliases_of, change_alias, find_alias
from lambent.functions.backend import Named
from lambent.functions.record import FunctionRecord
from lambent.functions.store import Fields, FunctionStore
from lambent.functions.versions import find_version, resolve_version, versions_of

Holder = FunctionRecord | AliasRecord


async def find_holder(store: FunctionStore, wanted: Named) -> Holder | None:
    """None when the function, version or alias is not there."""
    qualifier = wanted.qualifier
    if qualifier is None or qualifier == LATEST:
        return await store.find(wanted.id) if await store.exists(wanted.id) else None
    if is_version(qualifier):
        return await find_version(store, wanted.id, qualifier)
    return await find_alias(store, wanted.id, qualifier)


async def change_holder(store: FunctionStore, wanted: Named, new_spec: Callable[[Holder], Fields]) -> None:
    """Applies `new_spec` to what the qualifier names; its RevisionId stays. Raises ResourceNotFoundException."""
    qualifier = wanted.qualifier
    if qualifier is None or qualifier == LATEST:
        await store.change_settings(wanted.id, new_spec, keeps_revision=True)
        return
    current = await store.get(wanted.id, shown_arn=wanted.shown_arn)
    if is_version(qualifier):
        version = await resolve_version(store, current, qualifier)
        await store.change_version_settings(version, new_spec)
        return
    alias = await find_alias(store, wanted.id, qualifier)
    if alias is None:
        missing = messages.function_not_found if "$" in qualifier else messages.alias_not_found
        raise missing(wanted.shown_arn)
    await change_alias(store, alias, new_spec, keeps_revision=True)


async def holders_of(store: FunctionStore, current: FunctionRecord) -> list[tuple[str, Holder]]:
    """(qualifier, holder) of everything a function has: `$LATEST`, versions by number, aliases by name."""
    versions = [(record.version, record) for record in await versions_of(store, current.id)]
    aliases = [(alias.name, alias) for alias in await aliases_of(store, current.id)]
    return [(LATEST, current), *versions, *aliases]
