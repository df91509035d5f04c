"""The wire rules that are easy to miss, one test each."""

import orjson
import pytest

from tests.kubeserver.asking import (
    APPLY,
    CONFIGMAPS,
    CRDS,
    GIZMOS,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    configmap,
    gizmo,
    gizmo_crd,
)

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
SIZED = {"type": "object", "properties": {"size": {"type": "integer"}}}


async def test_openapi_v3_names_the_kind_and_the_parameters_of_each_patch(ask):
    _, index = await ask("GET", "/openapi/v3")
    url = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
    _, document = await ask("GET", url)
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    assert STRATEGIC in patch["requestBody"]["content"]


async def test_a_stale_openapi_hash_is_sent_to_the_present_one(ask):
    await ask.add_crd(gizmo_crd())
    _, index = await ask("GET", "/openapi/v3")
    old = index["paths"]["apis/test.example.org/v1"]["serverRelativeURL"]
    _, crd = await ask("GET", f"{CRDS}/gizmos.test.example.org")
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = SIZED
    assert (await ask("PUT", f"{CRDS}/gizmos.test.example.org", crd))[0] == 200
    status, _ = await ask("GET", old)
    assert status == 301
    assert ask.headers["location"][0] != old


async def test_discovery_is_served_aggregated_and_plain_from_one_table(ask):
    await ask.add_crd(gizmo_crd())
    status, found = await ask("GET", "/apis", accept=DISCOVERY)
    assert (status, found["kind"]) == (200, "APIGroupDiscoveryList")
    assert "g=apidiscovery.k8s.io" in ask.headers["content-type"][0]
    tag = ask.headers["etag"][0]
    assert (await ask("GET", "/apis", accept=DISCOVERY, if_none_match=tag))[0] == 304
    groups = {item["metadata"]["name"] for item in found["items"]}
    _, plain = await ask("GET", "/apis")
    assert groups == {group["name"] for group in plain["groups"]}
    _, legacy = await ask("GET", "/apis/test.example.org/v1")
    assert [entry["name"] for entry in legacy["resources"]] == ["gizmos"]


async def test_get_all_finds_its_kinds_by_category(ask):
    _, found = await ask("GET", "/apis", accept=DISCOVERY)
    kinds = {
        entry["responseKind"]["kind"]
        for group in found["items"]
        for version in group["versions"]
        for entry in version["resources"]
        if "all" in entry.get("categories", ())
    }
    assert {"Deployment", "ReplicaSet", "Job"} <= kinds


async def test_a_write_that_changes_nothing_keeps_the_version_and_makes_no_event(ask):
    _, made = await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}))
    rv = made["metadata"]["resourceVersion"]
    _, same = await ask("PATCH", f"{CONFIGMAPS}/a", {"data": {"x": "1"}}, media=MERGE)
    assert same["metadata"]["resourceVersion"] == rv
    assert await ask.events(f"{CONFIGMAPS}?watch=1&resourceVersion={rv}&timeoutSeconds=1") == []


@pytest.mark.parametrize(
    ("path", "code"),
    [("/api/", 200), ("/version/", 200), (CONFIGMAPS + "/", 200), ("/openapi/v3/", 404), ("/healthz/", 404)],
)
async def test_trailing_slashes(ask, path, code):
    assert (await ask("GET", path))[0] == code


async def test_an_apply_body_may_be_yaml(ask):
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\ndata: {a: '1'}\n"
    status, made = await ask("PATCH", f"{CONFIGMAPS}/z?fieldManager=m", body, media=APPLY)
    assert (status, made["data"]) == (201, {"a": "1"})


async def test_strict_validation_names_unknown_and_doubled_fields(ask):
    await ask.add_crd(gizmo_crd(SIZED))
    body = (
        b'{"apiVersion":"test.example.org/v1","kind":"Gizmo","metadata":{"name":"a"},"spec":{"size":1,"size":2,"no":1}}'
    )
    status, answer = await ask("POST", f"{GIZMOS}?fieldValidation=Strict", body)
    assert (status, answer["message"]) == (
        400,
        'Gizmo in version "v1" cannot be handled as a Gizmo: strict decoding error: '
        'duplicate field "spec.size", unknown field "spec.no"',
    )
    status, made = await ask("POST", GIZMOS, body)
    assert (status, made["spec"]) == (201, {"size": 2})
    assert ask.headers["warning"] == ['299 - "duplicate field \\"spec.size\\""', '299 - "unknown field \\"spec.no\\""']
    await ask("PATCH", f"{GIZMOS}/a?fieldValidation=Ignore", {"spec": {"no": 1}}, media=MERGE)
    assert "warning" not in ask.headers
    status, answer = await ask("PATCH", f"{GIZMOS}/a?fieldValidation=Strict", {"spec": {"no": 1}}, media=MERGE)
    assert status == 422
    assert answer["details"]["causes"][0]["field"] == "patch"


async def test_an_apply_of_an_undeclared_field_is_an_error_without_reason(ask):
    await ask.add_crd(gizmo_crd(SIZED))
    status, answer = await ask("PATCH", f"{GIZMOS}/a?fieldManager=m", gizmo("a", {"bogus": 1}), media=APPLY)
    assert (status, answer.get("reason")) == (500, None)
    assert answer["message"] == (
        "failed to create typed patch object (/a; test.example.org/v1, Kind=Gizmo): "
        ".spec.bogus: field not declared in schema"
    )


@pytest.mark.parametrize(
    ("media", "body", "code"),
    [
        (STRATEGIC, {}, 415),
        ("application/unknown", {}, 415),
        ("", {}, 415),
        (MERGE, b"{", 400),
        (JSON_PATCH, [{"op": "remove", "path": "/spec/none"}], 422),
        (JSON_PATCH, [{"op": "test", "path": "/kind", "value": "x"}], 422),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/new", "value": 1}], 200),
    ],
    ids=["strategic on custom", "unknown type", "no type", "broken", "absent member", "failed test", "replace adds"],
)
async def test_patches_that_do_not_fit(ask, media, body, code):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("a", {"size": 1}))
    assert (await ask("PATCH", f"{GIZMOS}/a", body, media=media))[0] == code


async def test_force_is_for_apply_alone_and_apply_needs_a_manager(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    assert (await ask("PATCH", f"{CONFIGMAPS}/a?force=true", {}, media=MERGE))[0] == 422
    assert (await ask("PATCH", f"{CONFIGMAPS}/a", configmap("a"), media=APPLY))[0] == 422


async def test_a_dying_definition_takes_its_objects_along_and_refuses_new_ones(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("held", finalizers=["example.org/hold"]))
    await ask("POST", GIZMOS, gizmo("free"))
    status, dying = await ask("DELETE", f"{CRDS}/gizmos.test.example.org")
    assert (status, dying["metadata"]["finalizers"]) == (200, ["customresourcecleanup.apiextensions.k8s.io"])
    assert (await ask("POST", GIZMOS, gizmo("new")))[0] == 403
    await ask.gone(f"{GIZMOS}/free")
    _, found = await ask("GET", "/apis/test.example.org/v1")
    assert "create" not in found["resources"][0]["verbs"]
    patch = [{"op": "remove", "path": "/metadata/finalizers"}]
    await ask("PATCH", f"{GIZMOS}/held", patch, media=JSON_PATCH)
    await ask.gone(f"{CRDS}/gizmos.test.example.org")
    assert (await ask("GET", "/apis/test.example.org/v1"))[0] == 404


async def test_a_new_definition_is_served_before_it_says_established(ask):
    await ask.add_crd(gizmo_crd())
    assert (await ask("POST", GIZMOS, gizmo("a")))[0] == 201


async def test_every_answer_carries_the_headers_clients_log(ask):
    await ask("GET", CONFIGMAPS)
    assert ask.headers["audit-id"]
    assert ask.headers["cache-control"] == ["no-cache, private"]
    assert {"x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid"} <= ask.headers.keys()


async def test_a_deprecated_version_warns(ask):
    crd = gizmo_crd(deprecated=True, deprecationWarning="use something newer")
    await ask.add_crd(crd)
    await ask("GET", GIZMOS)
    assert ask.headers["warning"] == ['299 - "use something newer"']


async def test_items_of_a_builtin_list_carry_no_kind_those_of_a_custom_one_do(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("a"))
    await ask("POST", CONFIGMAPS, configmap("a"))
    _, customs = await ask("GET", GIZMOS)
    _, builtins = await ask("GET", CONFIGMAPS)
    assert customs["items"][0]["kind"] == "Gizmo"
    assert not {"kind", "apiVersion"} & builtins["items"][0].keys()
    assert builtins["items"][0]["metadata"]["name"] == "a"


async def test_a_delete_with_a_body_ignores_the_query(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    assert (await ask("DELETE", f"{CONFIGMAPS}/a?dryRun=All"))[0] == 200
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[0] == 200
    await ask("DELETE", f"{CONFIGMAPS}/a?dryRun=All", {})
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[0] == 404


async def test_put_of_an_absent_object_creates_a_lease_but_no_configmap(ask):
    assert (await ask("PUT", f"{CONFIGMAPS}/none", configmap("none")))[0] == 404
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": {}}
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"
    assert (await ask("PUT", path, lease))[0] == 201


async def test_a_dry_run_create_has_no_version_an_update_the_old_one(ask):
    _, ghost = await ask("POST", f"{CONFIGMAPS}?dryRun=All", configmap("ghost"))
    assert "resourceVersion" not in ghost["metadata"]
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    _, dry = await ask("PATCH", f"{CONFIGMAPS}/a?dryRun=All", {"data": {"x": "1"}}, media=MERGE)
    assert dry["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert dry["data"] == {"x": "1"}


async def test_a_table_shows_the_columns_a_kind_declares(ask):
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Whole", "type": "string", "jsonPath": ".spec"},
    ]
    await ask.add_crd(gizmo_crd(additionalPrinterColumns=columns))
    body = gizmo("a", {"size": 3}) | {
        "status": {"conditions": [{"type": "Other"}, {"type": "Ready", "status": "True"}]}
    }
    await ask("POST", GIZMOS, body)
    await ask("POST", GIZMOS, gizmo("b", {"size": "text"}))
    _, table = await ask("GET", GIZMOS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Size", "Ready", "Whole"]
    assert [row["cells"] for row in table["rows"]] == [
        ["a", 3, "True", '{"size":3}'],
        ["b", None, None, '{"size":"text"}'],
    ]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_a_protobuf_body_is_read_and_an_unknown_kind_in_it_is_named(ask):
    meta = b"\n\x02pb"
    raw = b"\n" + bytes([len(meta)]) + meta + b"\x12\x06\n\x01a\x12\x011"
    kinds = b"\n\x02v1\x12\tConfigMap"
    body = b"k8s\x00" + b"\n" + bytes([len(kinds)]) + kinds + b"\x12" + bytes([len(raw)]) + raw
    status, made = await ask("POST", CONFIGMAPS, body, media="application/vnd.kubernetes.protobuf")
    assert (status, made["metadata"]["name"], made["data"]) == (201, "pb", {"a": "1"})
    other = body.replace(b"ConfigMap", b"Confidant")
    status, answer = await ask("POST", CONFIGMAPS, other, media="application/vnd.kubernetes.protobuf")
    assert status == 415
    assert "Kind=Confidant" in answer["message"]
    assert (await ask("POST", CONFIGMAPS, body[:-3], media="application/vnd.kubernetes.protobuf"))[0] == 400


async def test_an_object_above_the_limit_is_too_large(ask):
    await ask.add_crd(gizmo_crd())
    status, answer = await ask("POST", GIZMOS, gizmo("a", {"text": "x" * 1_600_000}))
    assert (status, answer["reason"]) == (413, "RequestEntityTooLarge")
    assert (await ask("POST", GIZMOS, orjson.dumps(gizmo("b", {"text": "x" * 3_200_000}))))[0] == 413


async def test_a_whole_float_is_kept_as_an_integer(ask):
    await ask.add_crd(gizmo_crd(SIZED))
    body = b'{"apiVersion":"test.example.org/v1","kind":"Gizmo","metadata":{"name":"a"},"spec":{"size":2.0}}'
    _, made = await ask("POST", GIZMOS, body)
    assert type(made["spec"]["size"]) is int
    _, same = await ask("PATCH", f"{GIZMOS}/a", {"spec": {"size": 2.0}}, media=MERGE)
    assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
