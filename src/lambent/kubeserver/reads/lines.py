"""The lines of a watch: changes as one view and selection sees them, errors and bookmarks.

Changes that are handed out together are a run, which is rendered once per form and namespace: all its readers share
the text. Not here: who is handed what, and when (`channels`).
"""

from typing import Any, NamedTuple

import orjson

from lambent.clock import WallClock
from lambent.http.message import Shared
from lambent.kubeserver.answers.negotiation import Form
from lambent.kubeserver.answers.rendering import body_of, metadata_of, table
from lambent.kubeserver.answers.tables import layout
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.selectors import Selection
from lambent.kubeserver.status import ApiError
from lambent.kubeserver.storage.records import Change, Record

_END_ANNOTATION = "k8s.io/initial-events-end"


class View(NamedTuple):
    """Everything a line depends on besides the change."""

    resource: Resource
    form: Form
    include: str


class Run:
    """Changes of one bucket that are handed out together, oldest first."""

    def __init__(self, changes: list[Change]) -> None:
        self.changes = changes
        self.size_bytes = sum(len(change.record.body) for change in changes)
        self.texts: dict[tuple[View, str], Shared] = {}

    def of(self, namespace: str, shown: int) -> list[Change]:
        """Those of a namespace ("" for all) after version `shown`."""
        return [c for c in self.changes if c.rv > shown and (not namespace or c.record.namespace == namespace)]


def error_line(error: ApiError) -> bytes:
    return orjson.dumps({"type": "ERROR", "object": error.body()}) + b"\n"


class Lines:
    """Changes as lines for one view and selection; Table columns are only in the first line."""

    def __init__(self, view: View, chosen: Selection, clock: WallClock) -> None:
        self._view = view
        self._chosen = chosen
        self._clock = clock
        self._has_columns = False

    def added(self, record: Record) -> bytes:
        return self._line("ADDED", record) if self._chosen.matches(record) else b""

    def of(self, change: Change) -> bytes:
        """The line of a change as this selection sees it; b"" when it does not concern it."""
        kind, record = change.type, change.record
        if not self._chosen.is_all:
            is_in = self._chosen.matches(record)
            was_in = change.old is not None and self._chosen.matches(change.old)
            if kind == "DELETED":
                is_in = was_in
                if not was_in:
                    return b""
            elif is_in:
                kind = "MODIFIED" if was_in else "ADDED"
            elif was_in and change.old is not None:
                return self._line("DELETED", _as_of(change.old, change.rv))
            else:
                return b""
        return self._line(kind, record)

    def of_run(self, run: Run, namespace: str, shown: int) -> bytes:
        """The lines of a run after version `shown`."""
        text = self.shared(run, namespace, shown)
        return b"".join(self.of(change) for change in run.of(namespace, shown)) if text is None else text

    def shared(self, run: Run, namespace: str, shown: int) -> Shared | None:
        """The lines that are the same for all readers of one view and namespace; None where this one has its own."""
        if not self._chosen.is_all or self._view.form.shape == "table" or run.changes[0].rv <= shown:
            return None
        key = (self._view, namespace)
        text = run.texts.get(key)
        if text is None:
            text = run.texts[key] = Shared(b"".join(self.of(change) for change in run.of(namespace, 0)))
        return text

    def _line(self, kind: str, record: Record) -> bytes:
        view = self._view
        if view.form.shape == "full":
            body = body_of(view.resource, record)
        elif view.form.shape == "metadata":
            body = orjson.dumps(metadata_of(orjson.loads(record.body), view.form.version))
        else:
            body = self._table([record], str(record.rv))
        return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)

    def _table(self, records: list[Record], rv: str) -> bytes:
        first, self._has_columns = not self._has_columns, True
        view = self._view
        meta = {"resourceVersion": rv}
        return table(
            view.resource, records, view.form, include=view.include, now=self._clock(), meta=meta, with_columns=first
        )

    def bookmark(self, rv: int, *, marked: bool = False) -> bytes:
        resource = self._view.resource
        meta: dict[str, Any] = {"resourceVersion": str(rv)}
        if marked:
            meta["annotations"] = {_END_ANNOTATION: "true"}
        obj: dict[str, Any] = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        if self._view.form.shape == "metadata":
            obj |= {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{self._view.form.version}"}
        if self._view.form.shape == "table":
            version = self._view.form.version
            cells = layout(resource)[1]({**obj, "metadata": {**meta, "name": ""}}, self._clock())
            row = {"cells": cells, "object": metadata_of(obj, version)}
            obj = {"kind": "Table", "apiVersion": f"meta.k8s.io/{version}", "metadata": {"resourceVersion": str(rv)}}
            obj |= {"columnDefinitions": None, "rows": [row]}
        return orjson.dumps({"type": "BOOKMARK", "object": obj}) + b"\n"


def _as_of(record: Record, rv: int) -> Record:
    """The old state under the version of the change that took it out of the selection."""
    obj = record.load()
    obj["metadata"]["resourceVersion"] = str(rv)
    return Record(
        namespace=record.namespace,
        name=record.name,
        uid=record.uid,
        rv=rv,
        body=orjson.dumps(obj),
        labels=record.labels,
        owners=record.owners,
        deleting=record.deleting,
        api_version=record.api_version,
        epoch=record.epoch,
    )
