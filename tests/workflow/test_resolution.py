"""What a bare name means: kind, namespace and name are the identity, and nothing is picked silently."""

from pathlib import Path

import pytest

from lambent.workflow.engine import Catalog, Unready, ValueFunction, load_catalog, prepare
from lambent.workflow.spec import load_paths
from tests.workflow.shared import documents

FUNCTION = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: %s, namespace: "%s", labels: {koreo.dev/active: "%s"}}
spec: {return: {a: 1}}
"""


def _catalog(*namespaces: str, libraries: tuple[str, ...] = (), active: str = "true", anywhere: bool = True) -> Catalog:
    texts = [FUNCTION % ("f", namespace, active) for namespace in namespaces]
    catalog = load_catalog(documents("\n---\n".join(texts)), libraries=libraries)
    catalog.allow_anywhere = anywhere
    return catalog


def _place(catalog: Catalog, referrer: str) -> str:
    found = catalog.resolve("ValueFunction", "f", referrer)
    return found if isinstance(found, str) else found.identity.namespace


@pytest.mark.parametrize(
    ("namespaces", "libraries", "anywhere", "found"),
    [
        (("own", "lib", "other"), ("lib",), True, "own"),
        (("lib", "two", "other"), ("two", "lib"), True, "two"),
        (("lib", "other"), ("two", "lib"), False, "lib"),
        (("other",), (), True, "other"),
        (("",), (), True, ""),
    ],
    ids=[
        "own namespace first",
        "libraries in order",
        "the next library",
        "the only one anywhere",
        "without a namespace",
    ],
)
def test_a_name_is_looked_for_near_before_far(
    namespaces: tuple[str, ...], libraries: tuple[str, ...], anywhere: bool, found: str
) -> None:
    assert _place(_catalog(*namespaces, libraries=libraries, anywhere=anywhere), "own") == found


@pytest.mark.parametrize(
    ("namespaces", "anywhere", "said"),
    [
        (("one", "two"), True, "ambiguous or out of reach from namespace own: one/f, two/f"),
        (("one",), False, "ambiguous or out of reach from namespace own: one/f"),
        ((), True, "ValueFunction f not found"),
    ],
)
def test_what_cannot_be_told_is_said_with_every_candidate(
    namespaces: tuple[str, ...], anywhere: bool, said: str
) -> None:
    assert _place(_catalog(*namespaces, anywhere=anywhere), "own").endswith(said)


@pytest.mark.parametrize(
    ("label", "is_found"), [("true", True), ("t", True), ("1", True), ("false", False), ("F", False)]
)
def test_an_inactive_object_is_validated_but_not_found(label: str, is_found: bool) -> None:
    assert (_place(_catalog("own", active=label), "own") == "own") == is_found
    broken = documents((FUNCTION % ("f", "own", label)).replace("a: 1", "a: =1 +"))[0]
    assert isinstance(prepare(broken), Unready)


def test_a_referrer_sees_the_function_that_replaces_another() -> None:
    catalog = _catalog("own")
    catalog.put(documents((FUNCTION % ("f", "own", "true")).replace("a: 1", "a: 2"))[0])
    found = catalog.resolve("ValueFunction", "f", "own")
    assert isinstance(found, ValueFunction)
    assert getattr(found.evaluate({}), "value", None) == {"a": 2}


@pytest.mark.parametrize("name", ["a.yaml", "b.yml", "c.k", "d.koreo", "e.k.yaml", "f.k.yml"])
def test_files_of_every_suffix_of_koreo_are_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FUNCTION % ("f", "own", "true"))
    (tmp_path / "notes.txt").write_text("not YAML: [")
    found, problems = load_paths([tmp_path])
    assert ([document.file for document in found], problems) == ([str(tmp_path / name)], [])
