"""Whatever is sent, the answer is a Status of a known refusal: never the catch-all."""

import asyncio
import os
from typing import Any

import orjson
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lambent.clock import VirtualTimeLoop
from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import (
    APPLY,
    CONFIGMAPS,
    CRDS,
    GIZMOS,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Asker,
    configmap,
    gizmo,
)
from tests.kubeserver.asking import gizmo_crd as _gizmo_crd

_PROTOBUF = "application/vnd.kubernetes.protobuf"
_NAMES = st.sampled_from(
    ["metadata", "name", "spec", "labels", "status", "data", "kind", "apiVersion", "a", "$patch", "items"]
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(_NAMES, child, max_size=4),
    max_leaves=10,
)
_DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
_EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
_SECRETS = "/api/v1/namespaces/default/secrets"
_SERVICES = "/api/v1/namespaces/default/services"
_PATHS = st.sampled_from(
    [CONFIGMAPS, GIZMOS, CRDS, _DEPLOYMENTS, _EVENTS, _LEASES, _SECRETS, _SERVICES, "/api/v1/namespaces"]
)
_MEDIA = st.sampled_from([MERGE, JSON_PATCH, STRATEGIC, APPLY])
_TEXT = st.text(st.sampled_from("a=!,()<>. inot/-0'\"\\[]{}?*@"), max_size=12)

# The nightly run asks for many more.
_EXAMPLES = int(os.environ.get("LAMBENT_FUZZ_EXAMPLES", "60"))
_SETTINGS = settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _run(*requests: tuple[str, str, Any, str]) -> None:
    async def run() -> None:
        server = KubeServer(state_dir=None)
        await server.open()
        ask = Asker(server)
        size = {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "items": {"type": "array", "items": {"type": "string"}}},
        }
        await ask.add_crd(_gizmo_crd(size, subresources={"status": {}}))
        await ask("POST", CONFIGMAPS, configmap("x", {"a": "1"}))
        await ask("POST", GIZMOS, gizmo("x", {"a": 1}))
        for method, path, body, media in requests:
            status, answer = await ask(method, path, body, media=media)
            assert not (isinstance(answer, dict) and answer.get("message") == "Internal error occurred"), (path, body)
            assert 200 <= status < 600
            if hasattr(answer, "aclose"):
                async for _ in answer:
                    break
                await answer.aclose()
        await server.shutdown()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())


@_SETTINGS
@given(_PATHS, _JSON)
@example(CONFIGMAPS, {"metadata": {"name": "a", "labels": None}})
def test_any_json_may_be_posted(path, body):
    _run(
        ("POST", path, orjson.dumps(body), "application/json"),
        ("POST", f"{path}?fieldValidation=Strict", orjson.dumps(body), ""),
    )


@_SETTINGS
@given(_PATHS, _JSON, _MEDIA)
def test_any_json_may_be_patched_in(path, body, media):
    _run(
        ("PATCH", f"{path}/x?fieldManager=m", orjson.dumps(body), media),
        ("PATCH", f"{path}/x?fieldManager=m", orjson.dumps({"metadata": body}), media),
        ("PATCH", f"{path}/x/status?fieldManager=m", orjson.dumps({"status": body}), media),
    )


@_SETTINGS
@given(_PATHS, _JSON)
def test_any_members_may_stand_in_an_object_of_the_right_kind(path, body):
    kinds = {
        CONFIGMAPS: ("v1", "ConfigMap"),
        GIZMOS: ("test.example.org/v1", "Gizmo"),
        _DEPLOYMENTS: ("apps/v1", "Deployment"),
    }
    api_version, kind = kinds.get(path, ("apiextensions.k8s.io/v1", "CustomResourceDefinition"))
    obj = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x"},
        "spec": body,
        "data": body,
        "status": body,
    }
    _run(
        ("POST", path, obj, "application/json"),
        ("PUT", f"{path}/x", obj, "application/json"),
        ("PATCH", f"{path}/x?fieldManager=m&force=true", obj, APPLY),
        ("POST", path, {**obj, "metadata": body}, "application/json"),
    )


@_SETTINGS
@given(st.binary(max_size=60))
def test_any_bytes_may_be_sent_as_protobuf(body):
    envelope = b"k8s\x00\n\x0f\n\x02v1\x12\tConfigMap\x12" + bytes([len(body)]) + body
    _run(("POST", CONFIGMAPS, b"k8s\x00" + body, _PROTOBUF), ("POST", CONFIGMAPS, envelope, _PROTOBUF))


@_SETTINGS
@given(_TEXT, _TEXT, _TEXT)
def test_any_selector_token_and_version_may_be_asked_for(labels, fields, token):
    from urllib.parse import quote

    _run(
        ("GET", f"{CONFIGMAPS}?labelSelector={quote(labels)}", None, ""),
        ("GET", f"{GIZMOS}?fieldSelector={quote(fields)}", None, ""),
        ("GET", f"{CONFIGMAPS}?limit=1&continue={quote(token)}", None, ""),
        ("GET", f"{CONFIGMAPS}?limit={quote(token)}", None, ""),
        ("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=1&resourceVersion={quote(token)}", None, ""),
        ("GET", f"{CONFIGMAPS}/{quote(token, safe='')}/{quote(fields, safe='')}", None, ""),
    )


@_SETTINGS
@given(_TEXT)
def test_any_path_may_be_a_printer_column(path):
    crd = _gizmo_crd(additionalPrinterColumns=[{"name": "C", "type": "string", "jsonPath": "." + path}])
    crd["metadata"]["name"] = "gizmos.other.example.org"
    crd["spec"]["group"] = "other.example.org"
    table = "/apis/other.example.org/v1/gizmos?includeObject=None"
    _run(("POST", CRDS, crd, "application/json"), ("GET", table, None, ""))
