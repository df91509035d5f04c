"""GET: one object, or a list in pages that all show one version.

A continue token holds the version and the last path, signed with a key of this process, so that a page cannot be
forged. When history no longer reaches the token's version, the answer is 410 with a token for the rest as it is now.
Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
"""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from bisect import bisect_right
from typing import Any

import orjson

from lambent.clock import WallClock
from lambent.http.message import Response
from lambent.kube.schema import Problem
from lambent.kubeserver import selectors, status
from lambent.kubeserver.answers.rendering import answer, included, render_list, render_one
from lambent.kubeserver.call import Call
from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.storage.records import Record
from lambent.kubeserver.storage.store import Store

_UNSIGNED = re.compile("[0-9]{1,19}")
_FUTURE_WAIT_S = 3.0  # how long a read waits for a version that is not there yet; as kube-apiserver


class Reader:
    def __init__(self, store: Store, clock: WallClock) -> None:
        self._store = store
        self._clock = clock
        self._key = secrets.token_bytes(32)

    async def get(self, call: Call) -> Response:
        await self._reach(call)
        record = self._store.get(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        return answer(render_one(call.resource, record, call.form(), included(call), self._clock()))

    async def list_page(self, call: Call) -> Response:
        _check_options(call)
        chosen = selectors.parse(
            call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""), call.resource
        )
        rv = await self._reach(call)
        limit, token = max(0, call.number("limit")), call.query.get("continue", "")
        if call.query.get("resourceVersion") == "0" and not token:
            limit = 0
        after = ""
        if token:
            rv, after = self._open(token, call)
        records = self._store.scan_at(call.resource.bucket, rv, call.namespace)
        if not chosen.is_all:
            records = [record for record in records if chosen.matches(record)]
        page, meta = self._page(records, after, limit, rv, counts=chosen.is_all)
        return answer(render_list(call, page, meta, self._clock()))

    def _page(
        self, records: "list[Record]", after: str, limit: int, rv: int, *, counts: bool
    ) -> "tuple[list[Record], dict[str, Any]]":
        meta: dict[str, Any] = {"resourceVersion": str(rv)}
        if after:
            records = records[bisect_right(records, after, key=lambda record: record.path) :]
        if limit <= 0 or len(records) <= limit:
            return records, meta
        page = records[:limit]
        meta["continue"] = self._seal(rv, page[-1].path)
        if counts:
            meta["remainingItemCount"] = len(records) - limit
        return page, meta

    def _seal(self, rv: int, path: str) -> str:
        body = orjson.dumps([rv, path])
        mark = hmac.new(self._key, body, hashlib.sha256).digest()[:12]
        return base64.urlsafe_b64encode(mark + body).decode()

    def _open(self, token: str, call: Call) -> tuple[int, str]:
        if call.query.get("resourceVersion") not in (None, "", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        raw = b""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            mark, body = raw[:12], raw[12:]
            if not hmac.compare_digest(mark, hmac.new(self._key, body, hashlib.sha256).digest()[:12]):
                raise ValueError
            rv, path = orjson.loads(body)
        except (ValueError, TypeError):
            raise bad_request(f"invalid continue token: continue key is not valid: {_why_no_token(raw)}") from None
        if rv < self._store.history.floor:
            raise self._expired(path)
        return rv, path

    def _expired(self, path: str) -> ApiError:
        text = (
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
            "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
            "the results. Continuing with the provided token results in an inconsistent list - objects that were "
            "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
            "list."
        )
        return ApiError(410, text, details={}, continue_=self._seal(self._store.counter, path))

    async def _reach(self, call: Call) -> int:
        """The version to read at: the present one, once it is not older than what was asked for."""
        wanted = version_of(call)
        if wanted > self._store.counter:
            await self._wait_for(wanted)
        if call.query.get("resourceVersionMatch") == "Exact" and wanted:
            if wanted < self._store.history.floor:
                raise ApiError(410, f"The resourceVersion for the provided list is too old: {wanted}", details={})
            return wanted
        return self._store.counter

    async def _wait_for(self, wanted: int) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + _FUTURE_WAIT_S
        while self._store.counter < wanted:
            if loop.time() >= end:
                raise future_version(wanted, self._store.counter)
            await asyncio.sleep(0.05)


def _why_no_token(raw: bytes) -> str:
    """As Go's JSON decoder would say it of what the token holds."""
    start = raw.lstrip()[:1]
    if not start:
        return "unexpected end of JSON input"
    if start in b'{["-0123456789tfn':
        return "encoded key is not valid"
    return f"invalid character '{start.decode('latin-1')}' looking for beginning of value"


def _check_options(call: Call) -> None:
    """Raises 422 for parameters that do not go together in a list."""
    match, version = call.query.get("resourceVersionMatch", ""), call.query.get("resourceVersion", "")
    problem = None
    if call.query.get("sendInitialEvents"):
        path, text = "sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list"
        problem = Problem(path, "FieldValueForbidden", text)
    elif match and not version:
        text = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        problem = Problem("resourceVersionMatch", "FieldValueForbidden", text)
    elif match not in ("", "Exact", "NotOlderThan"):
        text = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        problem = Problem("resourceVersionMatch", "FieldValueNotSupported", text)
    elif match == "Exact" and version == "0":
        text = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        problem = Problem("resourceVersionMatch", "FieldValueForbidden", text)
    if problem is not None:
        raise status.invalid("meta.k8s.io", "ListOptions", "", [problem])


def future_version(wanted: int, present: int) -> ApiError:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    details = {"causes": [cause], "retryAfterSeconds": 1}
    text = f"Timeout: Too large resource version: {wanted}, current: {present}"
    return ApiError(504, text, details=details, headers=[(b"retry-after", b"1")])


def version_of(call: Call) -> int:
    """The resourceVersion parameter; 0 when unset."""
    text = call.query.get("resourceVersion", "")
    if not text:
        return 0
    if not _UNSIGNED.fullmatch(text):
        message = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        if call.verb == "watch":
            raise ApiError(500, f"Invalid value: {message}", reason="")
        text = f'resourceVersion: Invalid value: "{text}": {message}'
        if call.name:
            raise ApiError(500, text, reason="")
        raise bad_request(f"invalid resource version: {text}")
    return int(text)
