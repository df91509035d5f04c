"""Image references and manifests as text."""

import pytest

from lambent.oci import ImageError, Reference, parse_reference
from lambent.oci.manifest import DOCKER_LIST, OCI_INDEX, OCI_MANIFEST, choose, parse

DIGEST = "sha256:" + "ab" * 32
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{ECR}/my-lambda-image:0.0.2", Reference(ECR, "my-lambda-image", "0.0.2")),
        (f"{ECR}/team/image@{DIGEST}", Reference(ECR, "team/image", "", DIGEST)),
        (f"localhost:5000/echo-lambda:1@{DIGEST}", Reference("localhost:5000", "echo-lambda", "1", DIGEST)),
        ("localhost/echo", Reference("localhost", "echo", "latest")),
        ("[::1]:5000/echo", Reference("[::1]:5000", "echo", "latest")),
        ("echo", Reference("", "echo", "latest")),
        ("team/echo:V1_x.y-z", Reference("", "team/echo", "V1_x.y-z")),
    ],
)
def test_a_reference_is_registry_repository_and_tag_or_digest(text, expected):
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    "text", ["", "Upper/case", "a b", "x:", "x@sha256:12", "x@", "../x", "a//b", "-a", "x:-tag", "h.o:99/"]
)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ImageError, match="is not an image reference"):
        parse_reference(text)


def _index(*platforms: str) -> bytes:
    entries = ",".join(
        f'{{"mediaType":"{OCI_MANIFEST}","digest":"sha256:{n:064x}","size":1,'
        f'"platform":{{"os":"linux","architecture":"{platform}"}}}}'
        for n, platform in enumerate(platforms)
    )
    return f'{{"schemaVersion":2,"manifests":[{entries}]}}'.encode()


def test_an_index_gives_the_entry_of_the_platform():
    index = parse(_index("arm64", "amd64"), OCI_INDEX)
    assert choose(index, architecture="amd64").digest == f"sha256:{1:064x}"


def test_a_platform_that_is_missing_is_named_with_those_there_are():
    with pytest.raises(ImageError, match="no entry for linux/s390x, only linux/amd64, linux/arm64"):
        choose(parse(_index("arm64", "amd64"), OCI_INDEX), architecture="s390x")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", OCI_MANIFEST),
        (b"[]", OCI_MANIFEST),
        (b'{"schemaVersion":1}', OCI_MANIFEST),
        (b'{"schemaVersion":2,"layers":[]}', OCI_MANIFEST),
        (b'{"schemaVersion":2,"config":{"digest":"sha256:1","size":1},"layers":[]}', OCI_MANIFEST),
        (_index(), OCI_MANIFEST),
        (_index().replace(b'"manifests"', b'"layers":[],"manifests"'), OCI_INDEX),
        (b'{"schemaVersion":2,"mediaType":"%b","manifests":[]}' % DOCKER_LIST.encode(), OCI_INDEX),
        (b'{"schemaVersion":2}', "text/plain"),
    ],
)
def test_what_is_no_manifest_is_refused(content, media_type):
    with pytest.raises(ImageError):
        parse(content, media_type)
