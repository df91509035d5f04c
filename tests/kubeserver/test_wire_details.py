"""What clients rely on and few notice: forms of answers, subresources, headers, queries that are ignored."""

import asyncio
from typing import Any

import orjson
import pytest

from lambent.http.message import Request
from tests.kubeserver.asking import (
    APPLY,
    CONFIGMAPS,
    CRDS,
    GIZMOS,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    TABLE,
    configmap,
    gizmo,
    gizmo_crd,
)

SIZED = {"type": "object", "properties": {"size": {"type": "integer"}}}
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


def _deployment(name: str, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


async def test_openapi_holds_the_schema_under_the_kind_and_the_merge_keys(ask):
    await ask.add_crd(gizmo_crd(SIZED))
    for path, kind in (("apis/test.example.org/v1", "Gizmo"), ("apis/apps/v1", "Deployment")):
        _, document = await ask("GET", f"/openapi/v3/{path}")
        kinds = [
            one["kind"]
            for schema in document["components"]["schemas"].values()
            for one in schema.get("x-kubernetes-group-version-kind", ())
        ]
        assert kinds.count(kind) == 1
    template = document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert (template["x-kubernetes-patch-merge-key"], template["x-kubernetes-patch-strategy"]) == ("name", "merge")


async def test_openapi_v2_knows_no_kind(ask):
    _, document = await ask("GET", "/openapi/v2")
    assert (document["swagger"], document["paths"], document["definitions"]) == ("2.0", {}, {})


async def test_versions_are_listed_from_the_most_stable_on(ask):
    crd = gizmo_crd()
    (first,) = crd["spec"]["versions"]
    names = ["v1alpha1", "v2beta1", "odd", "v10", "v2", "v1beta2"]
    crd["spec"]["versions"] += [{**first, "name": name, "storage": False} for name in names]
    await ask.add_crd(crd)
    _, group = await ask("GET", "/apis/test.example.org")
    wanted = ["v10", "v2", "v1", "v2beta1", "v1beta2", "v1alpha1", "odd"]
    assert [version["version"] for version in group["versions"]] == wanted
    assert group["preferredVersion"]["version"] == "v10"


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"]
)
async def test_who_asks_for_no_form_of_discovery_that_is_served_gets_the_plain_one(ask, accept):
    _, groups = await ask("GET", "/apis", accept=f"{accept},application/json" if accept else "")
    assert groups["kind"] == "APIGroupList"
    _, versions = await ask("GET", "/api")
    assert (versions["kind"], versions["versions"]) == ("APIVersions", ["v1"])


@pytest.mark.parametrize("accept", ["", "*/*", "application/vnd.kubernetes.protobuf,application/json"])
async def test_without_a_wish_that_can_be_met_the_answer_is_json(ask, accept):
    await ask("POST", CONFIGMAPS, configmap("a"))
    status, shown = await ask("GET", f"{CONFIGMAPS}/a", accept=accept)
    assert (status, shown["kind"], ask.headers["content-type"]) == (200, "ConfigMap", ["application/json"])


async def test_what_cannot_be_given_is_not_acceptable(ask):
    for accept, words in (
        ("text/html", "406: Not Acceptable\n\nAvailable representations: application/json"),
        (
            "application/json;as=Nothing;g=meta.k8s.io;v=v1",
            "only the following media types are accepted: application/json",
        ),
    ):
        status, answer = await ask("GET", CONFIGMAPS, accept=accept)
        assert (status, answer["reason"]) == (406, "NotAcceptable")
        assert answer["message"].startswith(words)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_without_a_type_is_json(ask, method):
    await ask("POST", CONFIGMAPS, configmap("a"))
    path, body = (
        (CONFIGMAPS, configmap("b", {"x": "1"}))
        if method == "POST"
        else (f"{CONFIGMAPS}/a", configmap("a", {"x": "1"}))
    )
    status, made = await ask(method, path, body, media="")
    assert (status, made["data"]) == (201 if method == "POST" else 200, {"x": "1"})


async def test_a_json_body_called_yaml_is_never_read_as_yaml(ask, monkeypatch):
    monkeypatch.setattr("lambent.kubeserver.requests.yaml_text.load_yaml", None)
    status, _ = await ask("PATCH", f"{CONFIGMAPS}/a?fieldManager=m", b" \n" + orjson.dumps(configmap("a")), media=APPLY)
    assert status == 201


@pytest.mark.parametrize(
    ("include", "kind"), [("", "PartialObjectMetadata"), ("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap")]
)
async def test_a_row_carries_as_much_of_its_object_as_asked_for(ask, include, kind):
    await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}))
    _, table = await ask("GET", f"{CONFIGMAPS}?includeObject={include}", accept=TABLE)
    (row,) = table["rows"]
    assert (row["object"]["kind"], row["object"].get("data")) == (kind, {"x": "1"} if include == "Object" else None)


async def test_a_row_may_carry_no_object(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    _, table = await ask("GET", f"{CONFIGMAPS}?includeObject=None", accept=TABLE)
    assert table["rows"][0]["object"] is None


async def test_age_is_the_column_of_kinds_that_declare_none(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("a"))
    _, table = await ask("GET", GIZMOS, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Age"]
    assert table["rows"][0]["cells"][1].endswith("s")


async def test_metadata_alone_comes_for_one_for_a_list_and_in_a_watch(ask):
    await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}))
    _, one = await ask("GET", f"{CONFIGMAPS}/a", accept=PARTIAL)
    _, many = await ask("GET", CONFIGMAPS, accept=PARTIAL_LIST)
    _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=1", accept=PARTIAL)
    (event,) = [orjson.loads(line) async for chunk in stream for line in chunk.splitlines()]
    assert (one["kind"], many["kind"]) == ("PartialObjectMetadata", "PartialObjectMetadataList")
    for shown in (one, many["items"][0], event["object"]):
        assert (shown["metadata"]["name"], "data" in shown) == ("a", False)


async def test_each_event_of_a_watched_table_is_a_table_and_the_first_has_the_columns(ask):
    for name in ("a", "b"):
        await ask("POST", CONFIGMAPS, configmap(name))
    query = "watch=1&allowWatchBookmarks=true&timeoutSeconds=11"
    _, stream = await ask("GET", f"{CONFIGMAPS}?{query}", accept=TABLE)
    events = [orjson.loads(line) async for chunk in stream for line in chunk.splitlines()]
    assert {event["object"]["kind"] for event in events} == {"Table"}
    assert {event["type"] for event in events} == {"ADDED", "BOOKMARK"}
    columns = [event["object"]["columnDefinitions"] for event in events]
    assert [column["name"] for column in columns[0]] == ["Name", "Data", "Age"]
    assert columns[1:] == [None] * (len(events) - 1)


async def test_status_of_a_custom_object_is_written_by_its_own_door_only(ask):
    await ask.add_crd(gizmo_crd(subresources={"status": {}}))
    _, made = await ask("POST", GIZMOS, {**gizmo("a", {"x": 1}), "status": {"phase": "No"}})
    assert "status" not in made
    body = {**made, "spec": {"x": 2}, "status": {"phase": "Yes"}}
    body["metadata"] = {**made["metadata"], "labels": {"l": "v"}, "annotations": {"n": "v"}, "finalizers": ["a.dev/b"]}
    _, written = await ask("PUT", f"{GIZMOS}/a/status", body)
    assert (written["spec"], written["status"]) == ({"x": 1}, {"phase": "Yes"})
    assert not {"labels", "annotations", "finalizers"} & written["metadata"].keys()
    _, changed = await ask("PATCH", f"{GIZMOS}/a", {"spec": {"x": 3}, "status": {"phase": "No"}}, media=MERGE)
    assert (changed["spec"], changed["status"]) == ({"x": 3}, {"phase": "Yes"})


async def test_status_of_a_builtin_takes_annotations_and_finalizers_along(ask):
    await ask("POST", DEPLOYMENTS, _deployment("d"))
    meta = {"labels": {"l": "v"}, "annotations": {"n": "v"}, "finalizers": ["a.dev/b"]}
    patch = {"metadata": meta, "spec": {"replicas": 9}, "status": {"replicas": 4}}
    _, written = await ask("PATCH", f"{DEPLOYMENTS}/d/status", patch, media=MERGE)
    assert (written["spec"]["replicas"], written["status"]["replicas"]) == (1, 4)
    assert (written["metadata"]["annotations"], written["metadata"]["finalizers"]) == ({"n": "v"}, ["a.dev/b"])
    assert "labels" not in written["metadata"]
    _, changed = await ask("PATCH", f"{DEPLOYMENTS}/d", {"status": {"replicas": 7}}, media=MERGE)
    assert changed["status"]["replicas"] == 4


@pytest.mark.parametrize(
    ("method", "media", "body"),
    [
        ("POST", "application/json", {**gizmo("b", {"no": 1})}),
        ("PUT", "application/json", None),
        ("PATCH", MERGE, {"spec": {"no": 1}}),
        ("PATCH", JSON_PATCH, [{"op": "add", "path": "/spec/no", "value": 1}]),
    ],
)
async def test_strict_validation_refuses_unknown_fields_in_every_write(ask, method, media, body):
    await ask.add_crd(gizmo_crd(SIZED))
    _, made = await ask("POST", GIZMOS, gizmo("a", {"size": 1}))
    path = GIZMOS if method == "POST" else f"{GIZMOS}/a"
    body = {**made, "spec": {"no": 1}} if body is None else body
    status, answer = await ask(method, f"{path}?fieldValidation=Strict", body, media=media)
    assert status == (422 if method == "PATCH" else 400)
    assert answer["message"].endswith('strict decoding error: unknown field "spec.no"')
    if method == "PATCH":
        assert [cause["field"] for cause in answer["details"]["causes"]] == ["patch"]
    status, _ = await ask(method, path, body, media=media)
    assert (status // 100, ask.headers["warning"]) == (2, ['299 - "unknown field \\"spec.no\\""'])
    _, stored = await ask("GET", f"{GIZMOS}/{'b' if method == 'POST' else 'a'}")
    assert "no" not in stored["spec"]


async def test_strict_validation_refuses_unknown_fields_in_a_strategic_patch(ask):
    await ask("POST", DEPLOYMENTS, _deployment("d"))
    patch = {"spec": {"bogus": 1}}
    status, answer = await ask("PATCH", f"{DEPLOYMENTS}/d?fieldValidation=Strict", patch, media=STRATEGIC)
    assert (status, answer["details"]["causes"][0]["field"]) == (422, "patch")
    assert answer["message"].endswith('strict decoding error: unknown field "spec.bogus"')


async def test_apply_judges_unknown_fields_whatever_the_mode(ask):
    await ask.add_crd(gizmo_crd(SIZED))
    for mode in ("Ignore", "Warn", "Strict"):
        path = f"{GIZMOS}/a?fieldManager=m&fieldValidation={mode}"
        assert (await ask("PATCH", path, gizmo("a", {"no": 1}), media=APPLY))[0] == 500


async def test_patches_that_do_not_fit_say_so_in_known_words(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    broken = await ask("PATCH", f"{CONFIGMAPS}/a", b"{", media=MERGE)
    assert (broken[0], broken[1]["message"][:24]) == (400, "error decoding patch: un")
    failed = await ask("PATCH", f"{CONFIGMAPS}/a", [{"op": "test", "path": "/kind", "value": 1}], media=JSON_PATCH)
    text = "the server rejected our request due to an error in our request"
    assert (failed[0], failed[1]["reason"], failed[1]["message"]) == (422, "Invalid", text)
    assert "causes" not in failed[1]["details"]


async def test_a_dying_kind_is_discovered_without_the_verbs_that_add(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("held", finalizers=["example.org/hold"]))
    await ask("DELETE", f"{CRDS}/gizmos.test.example.org")
    _, found = await ask("GET", "/apis/test.example.org/v1")
    assert sorted(found["resources"][0]["verbs"]) == ["delete", "deletecollection", "get", "list", "watch"]


async def test_a_new_kind_is_served_from_the_answer_on(ask):
    assert (await ask("POST", CRDS, gizmo_crd()))[0] == 201
    assert (await ask("POST", GIZMOS, gizmo("a")))[0] == 201


async def test_only_the_authenticated_are_told_of_flows(ask, server):
    for raw in (b"/livez", CONFIGMAPS.encode()):
        response = await server.service(Request("GET", raw, []))
        names = {name for name, _ in response.headers}
        assert b"audit-id" in names
        assert (b"cache-control", b"no-cache, private") in response.headers
        assert b"x-kubernetes-pf-flowschema-uid" not in names
    for path in (f"{CONFIGMAPS}/none", "/nothing"):
        assert (await ask("GET", path))[0] == 404
        assert {"x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid"} <= ask.headers.keys()


async def test_a_deprecated_version_names_its_successor(ask):
    crd = gizmo_crd()
    (first,) = crd["spec"]["versions"]
    crd["spec"]["versions"].append({**first, "name": "v1beta1", "storage": False, "deprecated": True})
    await ask.add_crd(crd)
    await ask("GET", GIZMOS.replace("v1", "v1beta1"))
    text = "test.example.org/v1beta1 Gizmo is deprecated; use test.example.org/v1 Gizmo"
    assert ask.headers["warning"] == [f'299 - "{text}"']


async def test_a_body_of_a_delete_decides_instead_of_the_query(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    status, gone = await ask("DELETE", f"{CONFIGMAPS}/a?propagationPolicy=Foreground", {})
    assert (status, gone["kind"], gone["status"]) == (200, "Status", "Success")


ABSENT: dict[str, dict[str, Any]] = {
    "/api/v1/namespaces/default/events": {"involvedObject": {"namespace": "default"}},
    "/api/v1/namespaces/default/services": {"spec": {"ports": [{"port": 80}]}},
    "/apis/coordination.k8s.io/v1/namespaces/default/leases": {},
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles": {},
    "/apis/rbac.authorization.k8s.io/v1/clusterroles": {},
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    },
}


@pytest.mark.parametrize("path", ABSENT)
async def test_a_put_creates_some_kinds(ask, path):
    status, made = await ask("PUT", f"{path}/new", {"metadata": {"name": "new"}, **ABSENT[path]})
    assert (status, made["metadata"]["name"]) == (201, "new"), made


async def test_a_put_creates_no_other_kind(ask):
    await ask.add_crd(gizmo_crd())
    for path, body in ((CONFIGMAPS, configmap("a")), (GIZMOS, gizmo("a")), (DEPLOYMENTS, _deployment("a"))):
        assert (await ask("PUT", f"{path}/a", body))[0] == 404


async def test_concurrent_patches_without_a_version_all_take_effect(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    patches = [ask("PATCH", f"{CONFIGMAPS}/a", {"data": {f"k{n}": "v"}}, media=MERGE) for n in range(20)]
    assert {status for status, _ in await asyncio.gather(*patches)} == {200}
    assert len((await ask("GET", f"{CONFIGMAPS}/a"))[1]["data"]) == 20


async def test_a_watched_name_is_a_list_of_that_name(ask):
    for name in ("a", "b"):
        await ask("POST", CONFIGMAPS, configmap(name))
    events = await ask.events(
        f"{CONFIGMAPS}?fieldSelector=metadata.name=b&resourceVersion=0&watch=true&timeoutSeconds=1"
    )
    assert [event["object"]["metadata"]["name"] for event in events] == ["b"]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("!!binary Gk=", "yaml: !!binary value contains invalid base64 data"),
        ("!!int abc", "yaml: cannot decode !!str `abc` as a !!int"),
        ("!!float abc", "yaml: cannot decode !!str `abc` as a !!float"),
    ],
)
async def test_a_yaml_value_that_is_not_what_its_tag_says_is_told(ask, written, why):
    body = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  a: {written}\n".encode()
    code, found = await ask("POST", CONFIGMAPS, body, media="application/yaml")
    assert (code, why in found["message"]) == (400, True), found["message"]


async def test_what_only_looks_like_a_number_in_yaml_is_a_text(ask):
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: 0x_\n  b: !!binary Gk==\n"
    code, found = await ask("POST", CONFIGMAPS, body, media="application/yaml")
    assert (code, found["data"]) == (201, {"a": "0x_", "b": "\x1a"})
