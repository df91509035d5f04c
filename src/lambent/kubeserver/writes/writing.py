"""POST, PUT, PATCH and DELETE: from a body to a committed change.

A write is checked against the newest version, committed or not, and staged in the same turn of the loop: no two writes
can interleave, so a patch without a version of its own never conflicts. Not here: the checks of the request
(`checks`) and of the object (`stages`), and the meaning of deletion (`lifecycle.deletion`).
"""

from dataclasses import replace
from typing import Any

import orjson

from lambent.clock import WallClock
from lambent.http.message import Response
from lambent.kube.patches import PatchError, json_patch, merge_patch
from lambent.kube.types import KubeObject
from lambent.kubeserver import selectors, status
from lambent.kubeserver.answers.rendering import answer, body_of, load, read_as, render_list, render_one, view
from lambent.kubeserver.builtin.event_views import GROUP, as_core_v1
from lambent.kubeserver.builtin.table import definitions
from lambent.kubeserver.call import Call
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.lifecycle.deletion import Deleter, is_finished
from lambent.kubeserver.requests.decoding import (
    check_depth,
    decode_body,
    decode_patch,
    kind_of_patch,
    report_applied,
)
from lambent.kubeserver.requests.options import check_options
from lambent.kubeserver.status import ApiError
from lambent.kubeserver.storage.records import Record, go_numbers, record_of
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.writes.checks import (
    check_applied,
    check_names,
    check_no_uid,
    check_operations,
    check_preconditions,
    inapplicable,
    number_of,
)
from lambent.kubeserver.writes.confining import confine, dropped
from lambent.kubeserver.writes.delete_options import delete_options
from lambent.kubeserver.writes.heads import read_head
from lambent.kubeserver.writes.ownership import apply
from lambent.kubeserver.writes.stages import Admission, fields, single_owners
from lambent.kubeserver.writes.strategic import strategic_merge

_ORPHANS = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
_SURELY_SMALL = 512 * 1024  # a third of the limit: defaults and bookkeeping do not triple an object


class Writer:
    def __init__(self, store: Store, admission: Admission, deleter: Deleter, clock: WallClock) -> None:
        self._store = store
        self._admission = admission
        self._deleter = deleter
        self._clock = clock

    # The verbs.

    async def create(self, call: Call) -> Response:
        check_options(call, "CreateOptions")
        body: Any = decode_body(call)
        return await self.create_object(call, body)

    async def create_object(self, call: Call, body: KubeObject) -> Response:
        return await self._add(Draft(call, call.resource, body, self._clock()))

    async def _add(self, draft: Draft) -> Response:
        """Checks and stores a new object."""
        call, resource = draft.call, draft.resource
        is_dry_run = call.is_dry_run
        if resource.has_status and resource.custom:
            if "status" in draft.new and not draft.is_apply:
                read_head(draft)
                dropped(draft)
            draft.new.pop("status", None)
        given: Any = draft.new.get("metadata")
        version = given.get("resourceVersion") if isinstance(given, dict) else None
        self._admission.admit(draft)
        if number_of(version) and call.verb == "create" and not is_dry_run:
            raise ApiError(500, "resourceVersion should not be set on objects to be created", reason="")
        found = self._store.peek(resource.bucket, _path_of(draft))
        if found is not None:
            raise status.already_exists(resource.group, resource.plural, found.name, deleting=found.deleting)
        if is_dry_run:
            made = load(resource, record_of(self._to_stored(draft), 0, epoch=_epoch(draft)))
            made["metadata"].pop("resourceVersion")
            if version:
                made["metadata"]["resourceVersion"] = version
            return answer(_ordered(made), 201)
        record = await self._store.put(resource.bucket, self._to_stored(draft), epoch=_epoch(draft))
        return self._answer(call, record, 201)

    async def update(self, call: Call) -> Response:
        check_options(call, "UpdateOptions")
        body: Any = decode_body(call)
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None:
            draft = Draft(call, call.resource, body, self._clock(), subresource=call.subresource)
            read_head(draft)
            if not call.resource.traits.creates_on_put or call.subresource:
                fields(draft)
            check_names(call, draft.new)
            single_owners(draft)
            if call.resource.traits.creates_on_put and not call.subresource:
                return await self.create_object(call, body)
            raise call.not_found()
        return self._answer(call, await self.change(call, record, body, is_patch=False), 200)

    async def patch(self, call: Call) -> Response:
        kind = kind_of_patch(call)
        check_options(call, "PatchOptions", is_apply=kind == "apply")
        if kind == "apply":
            return await self._apply(call, decode_patch(call, kind))
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        patch = decode_patch(call, kind)
        new = self._patched(call, kind, load(call.resource, record), patch)
        return self._answer(call, await self.change(call, record, new, is_patch=True), 200)

    async def _apply(self, call: Call, config: Any) -> Response:
        """Server-side apply: creates what is absent, else merges by ownership."""
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None and call.subresource:
            raise call.not_found()
        check_applied(call, config)
        draft = Draft(
            call, call.resource, config, self._clock(), subresource=call.subresource, is_patch=True, is_apply=True
        )
        if record is not None:
            draft.old, draft.record = load(call.resource, record), record
        applied = apply(draft, live=draft.old, force=call.says("force"), manager=call.query["fieldManager"])
        report_applied(call)
        draft.applied, draft.new = config, orjson.loads(orjson.dumps(applied.obj))
        draft.managed = applied.managed
        given: Any = (config or {}).get("metadata")
        if "managedFields" in (given or {}) and not call.resource.custom:
            draft.new["metadata"]["managedFields"] = given["managedFields"]  # to be told what is wrong with them
        read_head(draft)
        if record is None:
            check_no_uid(call, draft.new)
        try:
            check_names(call, draft.new)
            single_owners(draft)
            check_preconditions(draft)
        except ApiError:
            fields(draft)
            raise
        if record is None:
            return await self._add(draft)
        return self._answer(call, await self._commit(draft, record), 200)

    async def delete(self, call: Call) -> Response:
        options = delete_options(call)
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        resource = call.resource
        if resource.traits.orphans_by_default and not options.policy:
            call.warnings.append(_ORPHANS)
            options = replace(options, policy="Orphan")
        deleted = await self._deleter.delete(resource, record, options)
        if deleted.is_gone and not resource.traits.delete_answers_object:
            return answer(status.success(resource.group, resource.plural, record.name, record.uid))
        shown: Any = _ordered(deleted.obj)
        if resource.custom and resource.api_version != resource.stored_api_version:
            shown = read_as(resource, orjson.loads(orjson.dumps(deleted.obj)))
        return answer(shown, 202 if options.cascades and not deleted.is_gone else 200)

    async def delete_collection(self, call: Call) -> Response:
        options = delete_options(call)
        chosen = selectors.parse(
            call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""), call.resource
        )
        records = [r for r in self._store.scan(call.resource.bucket, call.namespace) if chosen.matches(r)]
        for record in records:
            newest = self._store.peek(call.resource.bucket, record.path)
            if newest is not None:
                await self._deleter.delete(call.resource, newest, options)
        return answer(render_list(call, records, {"resourceVersion": str(self._store.counter)}, self._clock()))

    # Changing what is there.

    def _patched(self, call: Call, kind: str, old: KubeObject, patch: Any) -> KubeObject:
        if kind == "json":
            check_operations(patch)
        try:
            if kind == "json":
                new = json_patch(old, patch)
            elif kind == "merge":
                new = merge_patch(old, patch)
            else:
                new = strategic_merge(old, patch, call.resource.schema.source, definitions())
        except PatchError:
            raise inapplicable() from None
        if not isinstance(new, dict):
            raise inapplicable()
        if kind != "merge":  # which nests no deeper than the deeper of the two
            check_depth(new)
        # What follows changes in place, and this patch may have put one part in two places.
        return orjson.loads(orjson.dumps(new)) if kind == "strategic" else new  # type: ignore[return-value]  # a dict of checked members

    async def change(self, call: Call, record: Record, new: KubeObject, *, is_patch: bool) -> Record:
        """Checks `new` against the stored object and commits it, unless nothing differs; a dry run only makes it."""
        old = view(call.resource, record)
        draft = Draft(
            call, call.resource, new, self._clock(), old, record, subresource=call.subresource, is_patch=is_patch
        )
        read_head(draft)
        try:
            check_names(call, new)
            single_owners(draft)
            check_preconditions(draft)
        except ApiError:
            fields(draft)  # a body that cannot be decoded is told of first, and so are warnings
            raise
        return await self._commit(draft, record)

    async def _commit(self, draft: Draft, record: Record) -> Record:
        resource = draft.resource
        is_dry_run = draft.call.is_dry_run
        confine(draft)
        self._admission.admit(draft)
        is_end = is_finished(draft.new)
        if draft.old is not None and not draft.differs and not is_end and _is_same(draft.new, draft.old):
            return record
        stored = self._to_stored(draft)
        if is_dry_run:
            return record_of(stored, record.rv, epoch=_epoch(draft))
        if is_end:
            # What watchers see go is the object as it was stored, its finalizers still there.
            last = draft.record.load() if draft.record is not None else stored
            gone = await self._store.remove(resource.bucket, last)
            return record_of(stored, gone.rv, epoch=resource.epoch)
        return await self._store.put(resource.bucket, stored, epoch=_epoch(draft))

    def _to_stored(self, draft: Draft) -> KubeObject:
        """In the version that is stored; versions differ in apiVersion only. Raises 413 for what is too large."""
        if len(draft.call.request.body) > _SURELY_SMALL or (draft.record and len(draft.record.body) > _SURELY_SMALL):
            size, limit = len(orjson.dumps(draft.new)), draft.resource.traits.size_limit_bytes
            if size > limit:
                raise ApiError(
                    413, f"Request entity too large: the object has {size} bytes, the limit is {limit}", details={}
                )
        if draft.resource.group == GROUP:
            return as_core_v1(draft.new)  # type: ignore[arg-type,return-value]  # a KubeObject is a dict
        draft.new["apiVersion"] = draft.resource.stored_api_version
        return draft.new

    def _answer(self, call: Call, record: Record, code: int) -> Response:
        form = call.form()
        if form.shape == "full":  # most often; nothing in it needs the time
            return answer(body_of(call.resource, record), code)
        return answer(render_one(call.resource, record, form, "Metadata", self._clock()), code)


def _epoch(draft: Draft) -> int:
    """That of the definition; 0 for what the stored version's schema has yet to read, of another version or without the
    status that it fills in."""
    resource = draft.resource
    declared = (resource.schema.source.get("properties") or {}).get("status") or {}
    is_read = len(resource.readers) < 2 and not (draft.is_create and resource.has_status and "default" in declared)
    return resource.epoch if is_read or not resource.custom else 0


def _path_of(draft: Draft) -> str:
    meta = draft.new["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if draft.resource.namespaced else meta["name"]


def _ordered(obj: KubeObject) -> dict[str, Any]:
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], **obj}


def _is_same(new: KubeObject, old: KubeObject) -> bool:
    """Equality of JSON values, the times of managers apart: a write that would only move those changes nothing.

    Python takes True for 1 and 1.0 for 1, so equal dicts are compared as text too.
    """
    if new != old:
        new = _at_times_of(old, new)
        if new != old:
            return False
    sort = orjson.OPT_SORT_KEYS
    return orjson.dumps(go_numbers(new), option=sort) == orjson.dumps(old, option=sort)


def _at_times_of(old: KubeObject, new: KubeObject) -> KubeObject:
    """`new`, its managers' entries at the times they have in `old` where nothing else of them differs."""
    before, after = old["metadata"].get("managedFields") or [], new["metadata"].get("managedFields") or []
    if len(before) != len(after):
        return new
    entries = [{**mine, "time": theirs.get("time")} for mine, theirs in zip(after, before, strict=True)]
    return {**new, "metadata": {**new["metadata"], "managedFields": entries}} if entries == before else new
