"""GET: one object, or a list in pages that all show one version.

When history no longer reaches the version of a continue token, the answer is 410 with a token for the rest as it is
now. Not here: how a token is written (`continuing`).
Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
"""

import asyncio
import secrets
from bisect import bisect_right
from typing import Any

from lambent.clock import WallClock
from lambent.http.message import Response
from lambent.kubeserver.answers.rendering import answer, check_is_list, included, render_list, render_one
from lambent.kubeserver.call import Call
from lambent.kubeserver.reads import continuing
from lambent.kubeserver.reads.options import check_list, selection, version_of
from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.storage.records import Record
from lambent.kubeserver.storage.store import Store

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FUTURE_WAIT_S = 3.0  # how long a read waits for a version that is not there yet; as kube-apiserver


class Reader:
    def __init__(self, store: Store, clock: WallClock) -> None:
        self._store = store
        self._clock = clock
        self._key = secrets.token_bytes(32)

    async def get(self, call: Call) -> Response:
        if call.query.get("export") in _TRUE:
            raise bad_request("the export parameter, deprecated since v1.14, is no longer supported")
        await self._reach(call)
        record = self._store.get(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        check_is_list(call.form(), call.resource, is_list=False)
        return answer(render_one(call.resource, record, call.form(), included(call), self._clock()))

    async def list_page(self, call: Call) -> Response:
        limit = call.number("limit")
        call.number("timeoutSeconds")
        chosen = selection(call)
        check_list(call)
        check_is_list(call.form(), call.resource, is_list=True)
        token, after = call.query.get("continue", ""), ""
        if token:
            rv, after = self._open(token, call)
        else:
            rv = await self._reach(call, is_page=limit > 0)
        if call.query.get("resourceVersion") == "0":
            limit = 0
        records = self._store.scan_at(call.resource.bucket, rv, call.namespace)
        if not chosen.is_all:
            records = [record for record in records if chosen.matches(record)]
        page, meta = self._page(records, after, limit, rv, call=call, counts=chosen.is_all)
        return answer(render_list(call, page, meta, self._clock()))

    def _page(
        self, records: list[Record], after: str, limit: int, rv: int, *, call: Call, counts: bool
    ) -> tuple[list[Record], dict[str, Any]]:
        is_raw = call.resource.custom and call.form().shape == "full"
        meta: dict[str, Any] = {"continue": ""} if is_raw else {}
        meta["resourceVersion"] = str(rv)
        if after:
            records = records[bisect_right(records, after, key=lambda record: record.path) :]
        if limit <= 0 or len(records) <= limit:
            return records, meta
        page = records[:limit]
        meta["continue"] = self._seal(rv, _within(call, page[-1].path))
        if counts:
            meta["remainingItemCount"] = len(records) - limit
        return page, meta

    def _seal(self, rv: int, key: str) -> str:
        return continuing.seal(self._key, rv, key)

    def _open(self, token: str, call: Call) -> tuple[int, str]:
        rv, key = continuing.open_sealed(self._key, token)
        if call.query.get("resourceVersion") not in (None, "", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        if rv < self._store.history.floor:
            raise self._expired(key)
        return rv, f"{call.namespace}/{key}" if call.namespace else key

    def _expired(self, key: str) -> ApiError:
        return ApiError(410, _TOO_OLD_TOKEN, continue_=self._seal(self._store.counter, key))

    async def _reach(self, call: Call, *, is_page: bool = False) -> int:
        """The version to read at: the present one, once it is not older than what was asked for.

        The first page of several is of the very version that was asked for.
        """
        wanted = version_of(call)
        if wanted > self._store.counter:
            await self._wait_for(wanted)
        match = call.query.get("resourceVersionMatch")
        if wanted and (match == "Exact" or (is_page and not match)):
            if wanted < self._store.history.floor:
                raise ApiError(410, "The resourceVersion for the provided list is too old.")
            return wanted
        return self._store.counter

    async def _wait_for(self, wanted: int) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + _FUTURE_WAIT_S
        while self._store.counter < wanted:
            if loop.time() >= end:
                raise future_version(wanted, self._store.counter)
            await asyncio.sleep(0.05)


_TOO_OLD_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
    "the results. Continuing with the provided token results in an inconsistent list - objects that were "
    "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
    "list."
)


def _within(call: Call, path: str) -> str:
    """A path as a token has it: without the namespace that the request names anyway."""
    return path.removeprefix(f"{call.namespace}/") if call.namespace else path


def future_version(wanted: int, present: int) -> ApiError:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    details = {"causes": [cause], "retryAfterSeconds": 1}
    text = f"Timeout: Too large resource version: {wanted}, current: {present}"
    return ApiError(504, text, details=details, headers=[(b"retry-after", b"1")])
