"""The distribution API, request by request."""

import json

import pytest

from lambent.oci.manifest import OCI_INDEX, OCI_MANIFEST, digest_of
from lambent.oci.registry import Registry, RegistryRequest

BLOB = b"some bytes of a layer"
DIGEST = digest_of(BLOB)
CONFIG = b"{}"


class Listener:
    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def image_pushed(self, repository, manifest, *, tag) -> None:
        self.told.append(("pushed", repository, manifest.digest, tag))

    def image_deleted(self, repository, digest) -> None:
        self.told.append(("deleted", repository, digest))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def ask(store, listener):
    """Asks a registry; the answer's body is parsed when it is JSON of ours."""
    registry = Registry(store, listener=listener)

    def do(method: str, target: str, body: bytes = b"", space: str = "", **headers: str):
        wire = {name.replace("_", "-"): value for name, value in headers.items()}
        return registry.handle(RegistryRequest(method, target, wire, body, space))

    return do


def _push(ask, name: str = "my/image", tag: str = "1.0", space: str = "", layer: bytes = BLOB) -> str:
    for blob in (layer, CONFIG):
        assert ask("POST", f"/v2/{name}/blobs/uploads/?digest={digest_of(blob)}", blob, space).status == 201
    content = _manifest(layer)
    answer = ask("PUT", f"/v2/{name}/manifests/{tag}", content, space, content_type=OCI_MANIFEST)
    assert answer.status == 201
    return str(answer.headers["Docker-Content-Digest"])


def _manifest(layer: bytes = BLOB, **more) -> bytes:
    def describe(data: bytes) -> dict:
        return {"mediaType": "x/y", "digest": digest_of(data), "size": len(data)}

    raw = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": describe(CONFIG), "layers": [describe(layer)]}
    return json.dumps(raw | more).encode()


def _code(answer) -> str:
    return str(json.loads(answer.body)["errors"][0]["code"])


def test_the_version_check_is_answered(ask):
    for target in ("/v2/", "/v2"):
        assert ask("GET", target).status == 200


def test_a_blob_may_come_in_one_request(ask, store):
    answer = ask("POST", f"/v2/a/blobs/uploads/?digest={DIGEST}", BLOB)
    assert (answer.status, answer.headers["Location"]) == (201, f"/v2/a/blobs/{DIGEST}")
    assert store.read_blob(DIGEST) == BLOB


def test_a_blob_may_come_in_chunks(ask, store):
    location = ask("POST", "/v2/a/blobs/uploads/").headers["Location"]
    first = ask("PATCH", location, BLOB[:8], content_range="0-7")
    assert (first.status, first.headers["Range"]) == (202, "0-7")
    progress = ask("GET", location)
    assert (progress.status, progress.headers["Range"]) == (204, "0-7")
    second = ask("PATCH", location, BLOB[8:12])
    assert second.headers["Range"] == "0-11"
    last = ask("PUT", f"{location}?digest={DIGEST}", BLOB[12:], content_range=f"12-{len(BLOB) - 1}")
    assert (last.status, last.headers["Docker-Content-Digest"]) == (201, DIGEST)
    assert store.read_blob(DIGEST) == BLOB
    assert ask("GET", location).status == 404


@pytest.mark.parametrize("content_range", ["1-8", "0-6", "x"])
def test_a_chunk_out_of_order_is_refused_and_changes_nothing(ask, content_range):
    location = ask("POST", "/v2/a/blobs/uploads/").headers["Location"]
    assert ask("PATCH", location, BLOB[:8], content_range=content_range).status == 416
    assert ask("PATCH", location, BLOB).headers["Range"] == f"0-{len(BLOB) - 1}"


def test_an_upload_can_be_given_up(ask):
    location = ask("POST", "/v2/a/blobs/uploads/").headers["Location"]
    assert ask("DELETE", location).status == 204
    assert _code(ask("PUT", f"{location}?digest={DIGEST}", BLOB)) == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize("digest", [digest_of(b"other"), "sha256:12", "md5:1", ""])
def test_a_blob_that_is_not_what_its_digest_says_is_refused(ask, digest):
    location = ask("POST", "/v2/a/blobs/uploads/").headers["Location"]
    assert _code(ask("PUT", f"{location}?digest={digest}", BLOB)) == "DIGEST_INVALID"


def test_a_blob_that_is_there_is_mounted(ask):
    ask("POST", f"/v2/a/blobs/uploads/?digest={DIGEST}", BLOB)
    assert ask("POST", f"/v2/b/blobs/uploads/?mount={DIGEST}&from=a").status == 201
    assert ask("POST", f"/v2/b/blobs/uploads/?mount={digest_of(b'absent')}&from=a").status == 202


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("", 200, BLOB),
        ("bytes=5-", 206, BLOB[5:]),
        ("bytes=5-9", 206, BLOB[5:10]),
        ("bytes=0-9999", 206, BLOB),
        ("nonsense", 200, BLOB),
    ],
)
def test_a_blob_is_given_whole_or_in_part(ask, header, status, part):
    ask("POST", f"/v2/a/blobs/uploads/?digest={DIGEST}", BLOB)
    answer = ask("GET", f"/v2/a/blobs/{DIGEST}", range=header)
    assert answer.status == status
    assert answer.file.read_bytes()[answer.start : answer.start + answer.length] == part
    assert answer.headers["Content-Length"] == str(len(part))


def test_a_range_behind_the_end_is_refused(ask):
    ask("POST", f"/v2/a/blobs/uploads/?digest={DIGEST}", BLOB)
    assert ask("GET", f"/v2/a/blobs/{DIGEST}", range="bytes=999-").status == 416


def test_a_head_gives_the_length_and_no_body(ask):
    digest = _push(ask)
    blob = ask("HEAD", f"/v2/my/image/blobs/{DIGEST}")
    assert (blob.status, blob.headers["Content-Length"], blob.file) == (200, str(len(BLOB)), None)
    manifest = ask("HEAD", "/v2/my/image/manifests/1.0")
    assert (manifest.headers["Docker-Content-Digest"], manifest.body) == (digest, b"")
    assert manifest.headers["Content-Length"] == str(len(_manifest()))


def test_a_manifest_comes_back_byte_by_byte_by_tag_and_digest(ask):
    digest = _push(ask)
    for target in ("1.0", digest):
        answer = ask("GET", f"/v2/my/image/manifests/{target}")
        assert (answer.body, answer.headers["Content-Type"]) == (_manifest(), OCI_MANIFEST)


def test_a_manifest_without_its_blobs_is_refused(ask, listener):
    answer = ask("PUT", "/v2/a/manifests/1", _manifest(), content_type=OCI_MANIFEST)
    assert (answer.status, _code(answer)) == (404, "MANIFEST_BLOB_UNKNOWN")
    index = {"schemaVersion": 2, "manifests": [{"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 1}]}
    answer = ask("PUT", "/v2/a/manifests/1", json.dumps(index).encode(), content_type=OCI_INDEX)
    assert _code(answer) == "MANIFEST_BLOB_UNKNOWN"
    assert listener.told == []


@pytest.mark.parametrize(
    ("target", "content", "code"),
    [
        ("1.0", b"{", "MANIFEST_INVALID"),
        (digest_of(b"x"), None, "DIGEST_INVALID"),
        ("-bad-", None, "TAG_INVALID"),
        ("sha256:12", None, "TAG_INVALID"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_code(ask, target, content, code):
    _push(ask)
    answer = ask("PUT", f"/v2/my/image/manifests/{target}", content or _manifest(), content_type=OCI_MANIFEST)
    assert (answer.status, _code(answer)) == (400, code)


def test_a_tag_moves_to_the_image_pushed_last(ask):
    first = _push(ask, layer=b"one")
    second = _push(ask, layer=b"two")
    assert first != second
    assert ask("GET", "/v2/my/image/manifests/1.0").headers["Docker-Content-Digest"] == second
    assert ask("GET", f"/v2/my/image/manifests/{first}").status == 200


def test_tags_and_catalog_are_listed_in_pages(ask):
    for tag in ("a", "b", "c"):
        _push(ask, tag=tag)
    _push(ask, name="other")
    assert json.loads(ask("GET", "/v2/my/image/tags/list").body) == {"name": "my/image", "tags": ["a", "b", "c"]}
    page = ask("GET", "/v2/my/image/tags/list?n=2")
    assert json.loads(page.body)["tags"] == ["a", "b"]
    assert page.headers["Link"] == '</v2/my/image/tags/list?n=2&last=b>; rel="next"'
    assert json.loads(ask("GET", "/v2/my/image/tags/list?n=2&last=b").body)["tags"] == ["c"]
    assert json.loads(ask("GET", "/v2/_catalog").body) == {"repositories": ["my/image", "other"]}
    assert _code(ask("GET", "/v2/absent/tags/list")) == "NAME_UNKNOWN"


def test_a_space_sees_its_own_repositories_only(ask):
    _push(ask, space="111111111111/us-east-1")
    _push(ask, name="else", space="222222222222/us-east-1")
    listed = ask("GET", "/v2/_catalog", space="111111111111/us-east-1")
    assert json.loads(listed.body) == {"repositories": ["my/image"]}
    assert ask("GET", "/v2/my/image/manifests/1.0", space="222222222222/us-east-1").status == 404
    answer = ask("POST", "/v2/my/image/blobs/uploads/", space="111111111111/us-east-1")
    assert answer.headers["Location"].startswith("/v2/my/image/blobs/uploads/")


def test_a_deleted_tag_leaves_the_image_and_a_deleted_image_its_tags_not(ask, listener):
    digest = _push(ask, tag="a")
    _push(ask, tag="b")
    assert ask("DELETE", "/v2/my/image/manifests/a").status == 202
    assert ask("GET", "/v2/my/image/manifests/b").status == 200
    assert ask("DELETE", f"/v2/my/image/manifests/{digest}").status == 202
    assert ask("GET", "/v2/my/image/manifests/b").status == 404
    assert ask("DELETE", f"/v2/my/image/manifests/{digest}").status == 404
    assert listener.told[-2] == ("deleted", "my/image", digest)


def test_referrers_of_an_image_are_found_by_their_subject(ask):
    digest = _push(ask)
    subject = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1}
    signature = _manifest(subject=subject, artifactType="a/signature")
    answer = ask("PUT", f"/v2/my/image/manifests/{digest_of(signature)}", signature, content_type=OCI_MANIFEST)
    assert answer.headers["OCI-Subject"] == digest
    found = json.loads(ask("GET", f"/v2/my/image/referrers/{digest}").body)["manifests"]
    assert [(m["digest"], m["artifactType"]) for m in found] == [(digest_of(signature), "a/signature")]
    assert json.loads(ask("GET", f"/v2/my/image/referrers/{digest_of(b'x')}").body)["manifests"] == []


def test_a_listener_is_told_of_pushes_and_again_when_asked(ask, store, listener):
    digest = _push(ask)
    assert listener.told == [("pushed", "my/image", digest, "1.0")]
    again = Listener()
    Registry(store, listener=again).tell_all()
    assert again.told == listener.told


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/v2/Upper/manifests/1", 400, "NAME_INVALID"),
        ("GET", "/v2/../x/manifests/1", 400, "NAME_INVALID"),
        ("GET", "/v2/%2e%2e/manifests/1", 400, "NAME_INVALID"),
        ("GET", "/v2/a/manifests/..%2F..%2Fx", 404, "UNSUPPORTED"),
        ("GET", "/v2/a/blobs/nonsense", 404, "BLOB_UNKNOWN"),
        ("POST", "/v2/a/manifests/1", 405, "UNSUPPORTED"),
        ("DELETE", "/v2/a/blobs/" + DIGEST, 405, "UNSUPPORTED"),
        ("PATCH", "/v2/a/blobs/uploads/..", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("GET", "/v2/nothing", 404, "UNSUPPORTED"),
        ("GET", "/v2/_catalog?n=x", 400, "PAGINATION_NUMBER_INVALID"),
    ],
)
def test_errors_have_the_code_of_the_specification(ask, method, target, status, code):
    answer = ask(method, target)
    assert (answer.status, _code(answer)) == (status, code)
