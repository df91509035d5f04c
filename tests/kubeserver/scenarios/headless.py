"""Custom objects without the head they need: inner ones in a status, patched versions, versions that are not served."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    APPLY,
    CRDS,
    GROUP,
    INTEGER,
    JSON,
    STRING,
    custom,
    definition,
    drop,
    need,
    objects,
    patch,
    post,
    struct,
)

_INNER = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
_PAIR = {**struct(a=INTEGER), "x-kubernetes-map-type": "atomic"}
HEADLESS = definition(
    "Headless",
    struct(
        spec=struct(
            a=INTEGER,
            inner=_INNER,
            ports={"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True}},
            choice={**STRING, "enum": ["a"]},
            dates={"type": "array", "items": {**STRING, "format": "date"}},
            pairs={"type": "array", "items": _PAIR, "x-kubernetes-list-type": "set"},
        ),
        status=struct(inner=_INNER),
    ),
    subresources={"status": {}},
)
HEADLESSES = objects("Headless")
_ONE = f"{HEADLESSES}/h"
_NO_VERSION = {"op": "remove", "path": "/apiVersion"}


def _status(say: str, inner: Any) -> list[Step]:
    applied = custom("Headless", "h", status={"inner": inner})
    return [
        patch(f"{_ONE}/status?dryRun=All", {"status": {"inner": inner}}, f"{say} in a status", managed=True),
        patch(f"{_ONE}/status?dryRun=All&fieldManager=m&force=true", applied, f"{say}, applied", headers=APPLY),
    ]


def _both(say: str, **spec: Any) -> list[Step]:
    body = custom("Headless", "new", spec)
    return [
        post(f"{HEADLESSES}?dryRun=All", body, f"{say}, created", managed=True),
        patch(f"{HEADLESSES}/new?dryRun=All&fieldManager=m", body, f"{say}, applied", headers=APPLY),
    ]


def _patched(say: str, *operations: Any) -> Step:
    return patch(_ONE, [_NO_VERSION, *operations], f"no version and {say}", headers=JSON)


def _of_version(version: str, mode: str) -> Step:
    body = {**custom("Headless", "new", {"a": 1}, status={}), "apiVersion": version}
    return post(f"{HEADLESSES}?fieldValidation={mode}", body, f"{mode}: {version}")


GROUPS: dict[str, list[Step]] = {
    "headless": [
        *need(HEADLESS),
        post(HEADLESSES, custom("Headless", "h", {"a": 1}), only="code"),
        *_status("nothing", {}),
        *_status("empty texts", {"apiVersion": "", "kind": ""}),
        *_status("bad names", {"apiVersion": "a/b/c", "kind": "P p", "metadata": {"name": "Bad Name"}}),
        *_both("nothing in the spec", inner={}),
        *_both("null for a number or text", ports={"a": None}),
        *_both("null for one of some", choice=None),
        *_both("null for a date", dates=[None]),
        *_both("objects in a set", pairs=[{"a": 1}]),
        _patched("no more"),
        _patched("no metadata", {"op": "remove", "path": "/metadata"}),
        _patched("another name", {"op": "replace", "path": "/metadata/name", "value": "z"}),
        _patched("another revision", {"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}),
        post(HEADLESSES, custom("Headless", "new", meta={"generation": "x", "finalizers": [1]}), "faults by name"),
        *(
            _of_version(version, mode)
            for version in (f"{GROUP}/v9", "other/v9", "v9")
            for mode in ("Strict", "Warn", "Ignore")
        ),
        *drop(HEADLESS),
        post(
            f"{CRDS}?dryRun=All",
            definition(
                "Headless",
                struct(
                    spec=struct(
                        a={**_INNER, "default": {"apiVersion": "v1", "kind": "P", "metadata": {"name": "a", "odd": 1}}}
                    )
                ),
            ),
            "a default whose metadata has more",
            only="code",
        ),
    ],
}
