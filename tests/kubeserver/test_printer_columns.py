"""Columns of a custom kind: paths and cells as kube-apiserver 1.34 answered them."""

import pytest

from tests.kubeserver.asking import GIZMOS, TABLE, gizmo, gizmo_crd

SPEC = {
    "a": [{"n": 1, "s": "x"}, {"n": 2, "s": "y", "q": True}],
    "m": {"k": "v", "p.q": "d", "p": {"q": "nested"}},
    "f": 1.5,
    "t": True,
    "l": ["u", "v", "w"],
    "s": "text",
}


async def _rows(ask, *columns):
    declared = [{"name": f"C{n}", "type": kind, "jsonPath": path} for n, (kind, path) in enumerate(columns)]
    await ask.add_crd(gizmo_crd(additionalPrinterColumns=declared))
    await ask("POST", GIZMOS, gizmo("x", SPEC))
    status, table = await ask("GET", f"{GIZMOS}/x", accept=TABLE)
    assert status == 200
    first, *others = (column["name"] for column in table["columnDefinitions"])
    assert first == "Name"
    return others, table["rows"][0]["cells"][1:]


@pytest.mark.parametrize(
    ("path", "cell"),
    [
        (".spec.a[0].s", "x"),
        (".spec.a[-1].s", "y"),
        (".spec.a[5].s", None),
        (f".spec.a[{'0' * 5000}].s", "x"),
        (".spec.a[*].n", "1"),
        (".spec.a[]", '{"n":1,"s":"x"}'),
        (".spec.a[?(@.n==2)].s", "y"),
        (".spec.a[?(@.n > 1)].s", "y"),
        (".spec.a[?(@.n>1)].s", "y"),
        (".spec.a[?(@.s=='y')].n", "2"),
        (".spec.a[?(@.q)].s", "y"),
        (".spec.a[?(@.n=='2')].s", None),
        ('.spec.l[?(@=="v")]', "v"),
        (".spec.l[1:]", "v"),
        (".spec.l[0,2]", "u"),
        (".spec.l[0:9]", None),
        (".spec.l[1:2:0]", None),
        (".spec.m['k']", "v"),
        (".spec.m['p.q']", "nested"),
        (".spec.m.p\\.q", "d"),
        ("..q", "true"),
        (".spec.m", '{"k":"v","p":{"q":"nested"},"p.q":"d"}'),
        (".spec.t", "true"),
        (".spec.s.x", None),
        (".spec.s[0]", None),
        (".spec.s 'lit'", "lit"),
        (".spec.s word", None),
        (".", None),
    ],
)
async def test_a_column_shows_the_first_match(ask, path, cell):
    assert await _rows(ask, ("string", path)) == (["C0"], [cell])


@pytest.mark.parametrize(
    ("kind", "path", "cell"),
    [
        ("integer", ".spec.f", 1),
        ("number", ".spec.f", 1.5),
        ("integer", ".spec.t", None),
        ("boolean", ".spec.t", True),
        ("integer", ".spec.m", None),
        ("integer", ".spec.s", None),
        ("date", ".spec.s", "<invalid>"),
        ("date", ".spec.f", None),
    ],
)
async def test_a_value_of_another_type_is_no_cell(ask, kind, path, cell):
    assert await _rows(ask, (kind, path)) == (["C0"], [cell])


@pytest.mark.parametrize(
    "path",
    [
        ".spec[0", ".spec]", ".spec[x]", '.spec["s"]', ".spec[ 0 ]", ".spec[--1]", ".spec['a", ".a....b",
        ".spec[99999999999999999999]", f".spec[{'9' * 5000}]", ".spec[?(@.b", ".spec[?(@.b)",
        '.spec[?(@.s=~"x")]', ".spec#[0]#", ".s 1.2.3",
    ],
)  # fmt: skip
async def test_a_path_that_cannot_be_read_ends_the_columns(ask, path):
    shown = await _rows(ask, ("string", ".spec.s"), ("string", path), ("string", ".spec.f"))
    assert shown == (["C0"], ["text"])
