"""Requests that are wrong on purpose: each gets a Status that says so, none reaches the catch-all."""

import logging
from urllib.parse import quote

import orjson
import pytest

from lambent.kubeserver.requests.decoding import DEEPEST
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
    gizmo_crd,
)

BROKEN_SCALARS = (b"!!binary Gk=", b"!!binary 'a b'", b"!!int abc", b"!!int 0x", b"!!int ''", b"!!float x")
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
TOKEN = "/api/v1/namespaces/default/serviceaccounts/default/token"


@pytest.fixture
async def hostile(ask: Asker, caplog):
    """Asks and checks that the answer is a Status with this code (or one of two); afterwards the server still works."""
    caplog.set_level(logging.ERROR)
    await ask.add_crd(gizmo_crd(subresources={"status": {}}))
    await ask("POST", CONFIGMAPS, configmap("x", {"a": "1"}))
    await ask("POST", GIZMOS, gizmo("x", {"a": 1}))
    await ask("POST", DEPLOYMENTS, _deployment())

    async def check(code, method, path, body=None, media=JSON, **headers):
        status, answer = await ask(method, path, body, media=media, **headers)
        assert isinstance(answer, dict), answer
        assert (status, answer["kind"], answer["code"]) == (code, "Status", code), answer
        assert answer["message"]
        assert answer["message"] != "Internal error occurred"
        return answer["message"]

    yield check
    assert not caplog.records
    assert (await ask("GET", f"{CONFIGMAPS}/x"))[0] == 200


def _deployment():
    spec = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "i"}]}},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}


def _deep(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * levels + b"1" + closing * levels


def _bomb() -> bytes:
    """Nine lists of nine aliases each: 400 MB once written out."""
    lines = [b"a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [b"a%d: &a%d [%s]" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 10)]
    return b"\n".join(lines)


OF_A_LIST = (
    b'[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":["a"]},"subresources":{"status":{}}}]'
)


def _crd_of_versions(versions: bytes) -> bytes:
    return (
        b'{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x.y.z"},'
        b'"spec": {"group": "y.z", "scope": "Namespaced", "names": {"plural": "x", "kind": "X"}, "versions": %s}}'
    ) % versions


GIZMO_OF_VERSION_TRUE = (
    b'{"apiVersion": "test.example.org/v1", "kind": "Gizmo", "metadata": {"name": "x", "resourceVersion": true}}'
)


@pytest.mark.parametrize(
    ("method", "path", "body", "media", "code"),
    [
        ("POST", CONFIGMAPS, b"", JSON, 400),
        ("POST", CONFIGMAPS, b"{", JSON, 400),
        ("POST", CONFIGMAPS, b"\xff\xfe", JSON, 400),
        ("POST", CONFIGMAPS, b'{"a": NaN}', JSON, 400),
        ("POST", CONFIGMAPS, b"9" * 400, JSON, 400),
        ("POST", GIZMOS, b'{"spec": {"a": %b}}' % (b"9" * 400), JSON, 400),
        ("POST", CONFIGMAPS, b"[]", JSON, 400),
        ("POST", CONFIGMAPS, b'"x"', JSON, 400),
        ("POST", CONFIGMAPS, b'{"metadata": []}', JSON, 400),
        ("POST", CONFIGMAPS, b'{"metadata": {"name": {}}}', JSON, 400),
        ("POST", CONFIGMAPS, b"a: [", YAML, 400),
        ("POST", CONFIGMAPS, b"&x [*x]", YAML, 400),
        ("POST", CONFIGMAPS, b"a: 99999999999999999999999", YAML, 400),
        ("POST", CONFIGMAPS, b"a: !!python/object:os.system x", YAML, 422),  # a text, and no name
        *(("POST", CONFIGMAPS, b"a: " + tagged, YAML, 400) for tagged in BROKEN_SCALARS),
        ("POST", CONFIGMAPS, _bomb(), YAML, 400),
        ("POST", CONFIGMAPS, b"x", "text/html", 415),
        ("POST", CONFIGMAPS, b"x", "multipart/form-data; boundary=x", 415),
        ("POST", CONFIGMAPS, b"not protobuf", PROTOBUF, 400),
        ("POST", CONFIGMAPS, b"k8s\x00\xff\xff\xff\xff", PROTOBUF, 400),
        ("POST", CONFIGMAPS, b"x" * (3 * 1024 * 1024 + 1), JSON, 413),
        ("PUT", f"{CONFIGMAPS}/x", b"x" * (3 * 1024 * 1024 + 1), JSON, 413),
        ("PUT", f"{CONFIGMAPS}/x", b'{"metadata": "m"}', JSON, 400),
        ("POST", CONFIGMAPS, b'{"metadata": {"name": "n", "ownerReferences": [null]}}', JSON, 422),
        ("POST", CONFIGMAPS, b'{"metadata": {"name": "n", "finalizers": [null]}}', JSON, 422),
        ("PATCH", f"{CRDS}/x.y.z?fieldManager=m", _crd_of_versions(b"[null]"), APPLY, 422),
        ("PATCH", f"{CRDS}/x.y.z?fieldManager=m", _crd_of_versions(OF_A_LIST), APPLY, 500),
        ("PUT", f"{GIZMOS}/x/status", b'{"status": {}}', JSON, 400),
        ("PUT", f"{CRDS}/gizmos.test.example.org", b"{}", JSON, 400),
        ("PATCH", f"{GIZMOS}/x", b"{}", STRATEGIC, 415),
        ("PATCH", f"{GIZMOS}/x", b"{}", "", 415),
        ("PATCH", f"{GIZMOS}/x", b"[1]", JSON_PATCH, 400),
        ("PATCH", f"{GIZMOS}/x", b'[{"op": "add", "path": 1}]', JSON_PATCH, 400),
        ("PATCH", f"{GIZMOS}/x", b'[{"op": "remove", "path": "/metadata"}]', JSON_PATCH, 400),
        ("PATCH", f"{GIZMOS}/x", b'[{"op": "move", "from": null, "path": "/spec/b"}]', JSON_PATCH, 422),
        ("PATCH", f"{CONFIGMAPS}/x", b'[{"op": "add", "path": "/data/a/b", "value": 1}]', JSON_PATCH, 422),
        ("PATCH", f"{CONFIGMAPS}/x", b'[{"op": "remove", "path": "/data/a/0"}]', JSON_PATCH, 422),
        (
            "POST",
            DEPLOYMENTS,
            b'{"metadata": {"name": "n"}, "spec": {"template": {"spec": {"containers": [null]}}}}',
            JSON,
            422,
        ),
        ("PATCH", f"{GIZMOS}/x", b"[]", MERGE, 400),
        ("PATCH", f"{GIZMOS}/x?fieldManager=m", b"-92233720368547758089", APPLY, 400),
        ("PATCH", f"{CONFIGMAPS}/x", b'{"apiVersion": ["v1"]}', STRATEGIC, 422),
        ("PATCH", f"{CONFIGMAPS}/x", b'{"kind": {}}', STRATEGIC, 422),
        ("PUT", f"{GIZMOS}/x", GIZMO_OF_VERSION_TRUE, JSON, 400),
        ("PATCH", f"{CONFIGMAPS}/x", b'{"$retainKeys": 1}', STRATEGIC, 400),
        ("PATCH", f"{CONFIGMAPS}/x", b'{"$setElementOrder/data": 1, "data": {}}', STRATEGIC, 500),
        ("POST", TOKEN, b'{"spec": [1]}', JSON, 400),
        ("POST", TOKEN, b'{"spec": {"expirationSeconds": 1e300}}', JSON, 400),
        ("POST", TOKEN, b'{"spec": {"expirationSeconds": "1"}}', JSON, 400),
        ("POST", TOKEN, b'{"spec": {"expirationSeconds": 99999999999}}', JSON, 422),
    ],
)
async def test_a_wrong_body_is_refused(hostile, method, path, body, media, code):
    await hostile(code, method, path, body, media)


@pytest.mark.parametrize("levels", [300, 5_000, 100_000])
@pytest.mark.parametrize("form", [(b'{"a":', b"}"), (b"[", b"]")], ids=["objects", "lists"])
async def test_a_deep_body_is_refused_before_anything_walks_it(hostile, levels, form):
    body = b'{"apiVersion":"test.example.org/v1","kind":"Gizmo","metadata":{"name":"x"},"spec":%s}' % _deep(
        levels, *form
    )
    await hostile(400, "POST", GIZMOS, body)
    await hostile(400, "PUT", f"{GIZMOS}/x", body)
    await hostile(400, "PATCH", f"{GIZMOS}/x", body, MERGE)
    await hostile(400, "PATCH", f"{GIZMOS}/x?fieldManager=m", body, APPLY)
    await hostile(400, "PATCH", f"{GIZMOS}/x?fieldManager=m", b"a: " + _deep(levels, *form), APPLY)
    await hostile(400, "POST", GIZMOS, b"- " * levels, YAML)
    await hostile(400, "PATCH", f"{CONFIGMAPS}/x", _deep(levels), STRATEGIC)
    await hostile(400, "DELETE", f"{CONFIGMAPS}/x", _deep(levels))


async def test_patches_cannot_make_an_object_deeper_than_a_body_may_be(hostile, ask):
    levels = DEEPEST // 3 + 1
    step = orjson.loads(_deep(levels))
    path = "/spec/q"
    for _ in range(2):
        value = [{"op": "add", "path": path, "value": step}]
        assert (await ask("PATCH", f"{GIZMOS}/x", value, media=JSON_PATCH))[0] == 200
        path += "/a" * levels
    await hostile(400, "PATCH", f"{GIZMOS}/x", [{"op": "add", "path": path, "value": step}], JSON_PATCH)


async def test_an_object_of_the_greatest_depth_is_written_in_every_way(hostile, ask):
    await ask.add_crd(_open_crd())
    path = "/apis/open.example.org/v1/namespaces/default/opens"
    head = b'{"apiVersion":"open.example.org/v1","kind":"Open","metadata":{"name":"x"},"spec":{"q":'
    body = head + _deep(DEEPEST - 6) + b"}}"
    assert (await ask("POST", f"{path}?fieldValidation=Strict", body))[0] == 201
    for manager in ("m", "n"):
        changed = body.replace(b":1}", f":{ord(manager)}}}".encode())
        assert (await ask("PATCH", f"{path}/x?fieldManager={manager}&force=true", changed, media=APPLY))[0] == 200
    assert (await ask("PATCH", f"{path}/x", body, media=MERGE))[0] == 200
    assert (await ask("GET", f"{path}/x"))[0] == 200


def _open_crd():
    crd = gizmo_crd()
    crd["metadata"]["name"] = "opens.open.example.org"
    crd["spec"] |= {"group": "open.example.org", "names": {"plural": "opens", "kind": "Open"}}
    return crd


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/namespaces/default/configmaps/a%2Fb", 404),
        ("/api/v1/namespaces/default%2Fconfigmaps/nothing", 404),
        ("/api/v1/namespaces/default/configmaps/..%2F..%2Fsecrets", 404),
        ("/api/v1/namespaces/default/configmaps/..", 400),
        ("/api/v1/namespaces/default/configmaps/a%25b", 400),
        ("/api/v1/namespaces/default/configmaps/%00", 404),
        ("/api/v1/namespaces/%FF/configmaps/%FF", 404),
        ("/api/v1/namespaces/../../etc/passwd", 404),
        ("/api/v1/../../../version", 404),
        ("/api/v1/namespaces/default/configmaps/x/status/more", 404),
        ("/api/v1/nothing", 404),
        ("/api//v1/configmaps", 404),
        ("/api/v1/" + "x/" * 5_000, 404),
    ],
)
async def test_a_trick_in_the_path_finds_nothing(hostile, path, code):
    await hostile(code, "GET", path)


@pytest.mark.parametrize("path", ["/healthz/", "/" + "a" * 10_000, "/nothing", "//api/v1/configmaps"])
async def test_what_is_outside_the_api_is_not_found_in_plain_words(ask: Asker, path):
    assert await ask("GET", path) == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/apis/",
        "/version/",
        f"{CONFIGMAPS}/",
        f"{CONFIGMAPS}/x/",
    ],
)
async def test_a_slash_at_the_end_is_passed_over(ask, path):
    await ask("POST", CONFIGMAPS, configmap("x"))
    assert (await ask("GET", path))[0] == 200


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "", "get"])
async def test_an_unknown_method_is_not_allowed(hostile, method):
    for path in (CONFIGMAPS, f"{CONFIGMAPS}/x", "/api", "/version"):
        await hostile(405, method, path)


@pytest.mark.parametrize(
    "query",
    [
        "labelSelector=" + quote(text)
        for text in (
            "a in",
            "a in (",
            "a in (b",
            "=",
            "==",
            "a==b==c",
            "!",
            "a>b",
            ",",
            "a,,b",
            "()",
            "a in&20(d)",
            "é=1",
        )
    ]
    + ["fieldSelector=" + quote(text) for text in ("x", "spec.a=1", "=", "metadata.name", "metadata.uid=1")]
    + ["limit=x", "limit=1.5", "limit=" + "9" * 5_000, "timeoutSeconds=x&watch=1"]
    + ["continue=x", "continue=%00", "continue=AAAA", "continue=" + "A" * 5_000]
    + ["resourceVersion=x", "resourceVersion=-1", "resourceVersion=%C2%B2", "resourceVersion=" + "9" * 5_000],
)
async def test_a_wrong_query_is_refused(hostile, query):
    await hostile(400, "GET", f"{CONFIGMAPS}?{query}")


async def test_a_continue_token_that_was_touched_is_refused(hostile, ask):
    await ask("POST", CONFIGMAPS, configmap("y"))
    _, page = await ask("GET", f"{CONFIGMAPS}?limit=1")
    token = page["metadata"]["continue"]
    for at in range(0, len(token), 3):
        touched = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        await hostile(400, "GET", f"{CONFIGMAPS}?limit=1&continue={touched}")


@pytest.mark.parametrize("limit", ["-1", "0", "-99999999999"])
async def test_a_limit_below_one_is_none(ask, limit):
    await ask("POST", CONFIGMAPS, configmap("x"))
    status, page = await ask("GET", f"{CONFIGMAPS}?limit={limit}&fieldSelector=metadata.name%3Dx")
    assert (status, len(page["items"])) == (200, 1)


async def test_a_watch_in_a_form_that_cannot_be_given_is_refused_at_once(hostile):
    await hostile(406, "GET", f"{CONFIGMAPS}?watch=1", accept="text/html")
    await hostile(406, "GET", f"{CONFIGMAPS}?watch=1", accept="application/json;as=Nothing;g=meta.k8s.io;v=v1")


@pytest.mark.parametrize(
    "path", [".", "..", "[", ".a[", ".a[?(@", ".a[?(@.b==", "{.a", "a", ".a[*", ".a[-99999999999]"]
)
async def test_a_printer_column_is_refused_or_empty(hostile, ask, path):
    crd = _open_crd()
    column = {"name": "C", "type": "string", "jsonPath": path}
    crd["spec"]["versions"][0]["additionalPrinterColumns"] = [column]
    status, _ = await ask("POST", CRDS, crd)
    assert status in (201, 422)


async def test_a_group_that_is_not_served_is_a_plain_404_as_a_real_server_gives_it(ask):
    assert await ask("GET", "/apis/no.such.group/v1/things") == (404, b"404 page not found\n")
    for path in ("/openapi/v3/apis/no.such.group/v1", "/openapi/v3/"):
        assert (await ask("GET", path))[0] == 404


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic YTpi"}, 401),
        ({"authorization": "Bearer a.b.c"}, 401),
        ({"authorization": "Bearer \xe9"}, 401),
        ({"host": "evil.example.org"}, 403),
        ({"host": "evil.example.org:6444"}, 403),
        ({"host": "127.0.0.1.evil.example.org"}, 403),
        ({"origin": "https://evil.example.org"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://[::"}, 403),
    ],
)
async def test_who_asks_from_elsewhere_or_without_a_token_is_refused(server, headers, code):
    from lambent.http.message import Request

    given = {"authorization": f"Bearer {server.token}", "host": "127.0.0.1:6444"} | headers
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    response = await server.service(Request("GET", CONFIGMAPS.encode(), raw))
    assert isinstance(response.body, bytes)
    status = orjson.loads(response.body)
    assert (response.status, status["kind"], status["code"]) == (code, "Status", code)


@pytest.mark.parametrize("digits", ["9" * 5000, "9" * 30])
async def test_a_number_of_any_length_is_out_of_range(hostile, digits):
    body = configmap("x", resourceVersion=digits)
    assert "value out of range" in await hostile(500, "PUT", f"{CONFIGMAPS}/x", body)
    assert "value out of range" in await hostile(500, "PATCH", f"{CONFIGMAPS}/x", body, MERGE)
    assert "already exists" in await hostile(409, "POST", CONFIGMAPS, body)
    fence = f"default/lead/{digits}"
    assert "is not lease/term" in await hostile(400, "PUT", f"{CONFIGMAPS}/x", configmap("x"), lambent_fence=fence)


async def test_zeros_are_no_version(ask):
    _, made = await ask("POST", CONFIGMAPS, configmap("z"))
    zeros = "0" * 5000
    padded = zeros + made["metadata"]["resourceVersion"]
    assert (await ask("PUT", f"{CONFIGMAPS}/z", configmap("z", {"a": "1"}, resourceVersion=zeros)))[0] == 200
    assert (await ask("PUT", f"{CONFIGMAPS}/z", configmap("z", {"a": "2"}, resourceVersion=padded)))[0] == 409


async def test_a_deletion_from_a_list_that_is_a_map_is_passed_over(ask):
    await ask("POST", CONFIGMAPS, configmap("z", {"a": "1"}))
    for value in ([1], ["a"], 1):
        status, answer = await ask(
            "PATCH", f"{CONFIGMAPS}/z", {"$deleteFromPrimitiveList/data": value}, media=STRATEGIC
        )
        assert (status, answer["data"]) == (200, {"a": "1"})
