"""What of a custom object is stored and what is read again: other versions, a status of its own, odd bodies."""

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
    delete,
    drop,
    get,
    need,
    objects,
    patch,
    post,
    put,
    served,
)


def _spec(**properties: Any) -> Any:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}


TWOFACE = definition(
    "Twoface",
    _spec(a=INTEGER, first={**STRING, "default": "1"}, both={**STRING, "default": "1"}),
    subresources={"status": {}},
)
TWOFACE["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"] = {**STRING, "default": "none yet"}
_SECOND = _spec(a=INTEGER, b=INTEGER, second={**STRING, "default": "2"}, both={**STRING, "default": "2"})
_SECOND["properties"]["status"] = STRING
TWOFACE["spec"]["versions"].append(
    {
        "name": "v2",
        "served": True,
        "storage": False,
        "schema": {"openAPIV3Schema": _SECOND},
        "subresources": {"status": {}},
    }
)
FIRSTS = objects("Twoface")
SECONDS = FIRSTS.replace("/v1/", "/v2/")


def _second(name: str, **spec: Any) -> Any:
    return {**custom("Twoface", name, spec), "apiVersion": f"{GROUP}/v2"}


STATED = definition("Stated", _spec(a=INTEGER), subresources={"status": {}})
STATED["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"] = {
    "type": "array",
    "items": {"type": "object", "properties": {"a": INTEGER}},
    "oneOf": [{"minItems": 2}, {"maxItems": 3}],
}
STATEDS = objects("Stated")

_EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
ODD = definition("Odd", _spec(a=INTEGER, inner=_EMBEDDED, list={"type": "array", "items": _EMBEDDED}), scope="Cluster")
ODDS = f"/apis/{GROUP}/v1/odds"
_BAD_INNER = {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": 1}}}


def _with_default(schema: Any, default: Any) -> Any:
    return definition("Defaulted", _spec(a={**schema, "default": default}))


GROUPS: dict[str, list[Step]] = {
    "stored versions": [
        *need(TWOFACE),
        served(SECONDS),
        {"sleep": 1},
        post(f"{SECONDS}?dryRun=All", _second("t", a=1, b=2), "dry, by the version that is not stored", managed=True),
        post(SECONDS, _second("t", a=1, b=2), "by the version that is not stored", managed=True),
        get(f"{FIRSTS}/t", "by the version that is stored"),
        get(f"{SECONDS}/t", "by the other"),
        patch(f"{SECONDS}/t", {"spec": {"b": 3}}, "what is not stored", managed=True),
        patch(f"{SECONDS}/t/status", {"status": "some"}, "status"),
        get(f"{FIRSTS}/t", "after that"),
        patch(f"{SECONDS}/t?fieldManager=m", _second("t", b=4), "apply what is not stored", headers=APPLY),
        patch(f"{FIRSTS}/t", {"metadata": {"finalizers": ["example.dev/hold"]}}, "hold", only="code"),
        delete(f"{SECONDS}/t", "delete what is held"),
        patch(f"{SECONDS}/t", {"metadata": {"finalizers": None}}, "let it go", only="code"),
        *drop(TWOFACE),
    ],
    "stored status": [
        *need(STATED),
        post(STATEDS, custom("Stated", "s", {"a": 1}), managed=True),
        patch(f"{STATEDS}/s/status", {"status": [{"a": "x"}]}, "an item of the wrong type"),
        patch(f"{STATEDS}/s/status", {"status": [{"a": 1}, {"a": 2}]}, "both of oneOf"),
        patch(f"{STATEDS}/s/status", {"status": [{"a": 1}]}, "one of oneOf", managed=True),
        patch(f"{STATEDS}/s/status", {"apiVersion": "v3"}, "another version", managed=True),
        patch(f"{STATEDS}/s/status", {"kind": "Other", "status": []}, "another kind", managed=True),
        patch(f"{STATEDS}/s/status", {"apiVersion": "a/b/c"}, "no version"),
        patch(f"{STATEDS}/s", {"apiVersion": "v3"}, "another version of the object"),
        *drop(STATED),
    ],
    "odd bodies": [
        *need(ODD),
        post(ODDS, custom("Odd", "o", meta={"namespace": 1}), "a number for the namespace there is none of"),
        post(ODDS, custom("Odd", "o", {"a": 1}, meta={"generation": 1.0}), "a whole float"),
        put(f"{ODDS}/o", custom("Odd", "o", meta={"generation": 1.5}), "a broken number"),
        patch(f"{ODDS}/o", {"spec": {"list": [{"apiVersion": "v1", "kind": "X", "n": None}]}}, "a null in a list"),
        patch(f"{ODDS}/o", [{"op": "move", "from": "/spec", "path": "/spec/a"}], "into itself", headers=JSON),
        patch(f"{ODDS}/o", {"spec": {"inner": _BAD_INNER}}, "an inner object that cannot be read"),
        patch(
            f"{ODDS}/o",
            [{"op": "add", "path": "/spec", "value": {"inner": _BAD_INNER}}],
            "the same by a JSON patch",
            headers=JSON,
        ),
        *drop(ODD),
        post(CRDS, _with_default(_EMBEDDED, _BAD_INNER), "a default that cannot be read"),
        post(
            CRDS,
            _with_default({"type": "object", "properties": {"z": INTEGER, "b": INTEGER}}, {"z": 1.0, "u": 1, "b": 2}),
            "a default with too much",
        ),
        post(
            CRDS,
            _with_default(
                {
                    "type": "array",
                    "maxItems": 3,
                    "items": {**INTEGER, "x-kubernetes-validations": [{"rule": "self > 1"}]},
                },
                [2, 1],
            ),
            "an item of a default that fails a rule",
        ),
    ],
}
