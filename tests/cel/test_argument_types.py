"""Each of Koreo's functions with arguments of every type: those it is for, and an error of ours for all others."""

from itertools import product
from typing import Any

import pytest

from lambent import cel
from lambent.cel.values import Duration, OptionalValue, Timestamp, UInt

SECRET = "s3cret"
VALUES: dict[str, Any] = {
    "null": None,
    "bool": True,
    "int": 1,
    "uint": UInt(1),
    "double": 1.5,
    "string": SECRET,
    "bytes": SECRET.encode(),
    "list": [SECRET],
    "map": {"external": SECRET, "apiVersion": "g/v1", "kind": "K", "metadata": {"name": SECRET}},
    "timestamp": Timestamp(0),
    "duration": Duration(1),
    "optional": OptionalValue(present=False),
}
ANY = tuple(VALUES)
# The types of each argument; an error with another code than `overload` is a matter of the value, not of its type.
TAKES: dict[str, list[tuple[tuple[str, ...], ...]]] = {
    "to_ref": [(("map",),)],
    "kindless_ref": [(("map",),)],
    "group_ref": [(("map",),)],
    "self_ref": [(("map",),)],
    "config_connect_ready": [(("map",),)],
    "overlay": [(("map",), ("map",))],
    "flatten": [(("list", "null"),)],
    "lower": [(("string",),)],
    "upper": [(("string",),)],
    "toLower": [(("string",),)],
    "toUpper": [(("string",),)],
    "strip": [(("string",), ("string",))],
    "lstrip": [(("string",), ("string",))],
    "rstrip": [(("string",), ("string",))],
    "split": [(("string",), ("string",)), (("string",), ("string",), ("int",))],
    "split_first": [(("string",), ("string",))],
    "split_last": [(("string",), ("string",))],
    "split_index": [(("string",), ("string",), ("int",))],
    "replace": [
        (("string",), ("string",), ("string",)),
        (("string",), ("string",), ("string",), ("int",)),
    ],
    "to_json": [(ANY,), (ANY, ("string",))],
    "from_json": [(("string",),)],
    "b64encode": [(("string", "bytes"),)],
    "b64decode": [(("string",),)],
    "keys": [(("map",),)],
    "values": [(("map",),)],
    "contains": [(("string",), ("string",)), (("list",), ANY)],
}
NAMES = ("a", "b", "c", "d")


def _error(program: cel.Program, kinds: tuple[str, ...]) -> cel.CelError | None:
    """The error of an evaluation, if it ends with one."""
    try:
        program.evaluate({name: VALUES[kind] for name, kind in zip(NAMES, kinds, strict=False)})
    except cel.CelError as error:
        return error
    return None


def _is_taken(program: cel.Program, kinds: tuple[str, ...]) -> bool:
    """Whether the types fit; an error holds no value whatever it is about."""
    error = _error(program, kinds)
    assert error is None or SECRET not in str(error)
    return error is None or error.code != "overload"


def _calls(name: str, count: int) -> list[cel.Program]:
    """`f(a, b)` and `a.f(b)`."""
    given = NAMES[:count]
    texts = (f"{name}({', '.join(given)})", f"{given[0]}.{name}({', '.join(given[1:])})")
    return [cel.compile(text, names=given) for text in texts]


@pytest.mark.parametrize("name", sorted(TAKES))
def test_a_function_takes_its_types_and_refuses_all_others(name: str) -> None:
    for count in sorted({len(form) for form in TAKES[name]}):
        forms = [form for form in TAKES[name] if len(form) == count]
        for program in _calls(name, count):
            for kinds in product(VALUES, repeat=min(count, 2)):
                whole = kinds + tuple(forms[0][at][0] for at in range(2, count))
                fits = any(all(kind in form[at] for at, kind in enumerate(whole)) for form in forms)
                assert _is_taken(program, whole) == fits, (program.text, whole)


@pytest.mark.parametrize("name", sorted(name for name, forms in TAKES.items() if len(forms[0]) > 2))
def test_the_third_argument_has_its_type_too(name: str) -> None:
    form = TAKES[name][0]
    program = _calls(name, len(form))[0]
    for kind in VALUES:
        kinds = (*(types[0] for types in form[:2]), kind)
        assert _is_taken(program, kinds) == (kind in form[2]), kinds


@pytest.mark.parametrize("name", sorted(TAKES))
@pytest.mark.parametrize("count", range(6))
def test_another_number_of_arguments_is_refused_before_it_runs(name: str, count: int) -> None:
    arities = {len(form) for form in TAKES[name]}
    if count in arities or (name, count) in {("flatten", 2), ("contains", 2)}:
        return
    with pytest.raises(cel.CelError) as caught:
        cel.compile(f"{name}({', '.join(['1'] * count)})", names=())
    assert caught.value.code == "arity"


@pytest.mark.parametrize("name", sorted(name for name in TAKES if name not in ("to_json", "flatten")))
def test_a_literal_of_a_wrong_type_is_refused_before_it_runs(name: str) -> None:
    count = len(TAKES[name][0])
    with pytest.raises(cel.CelError) as caught:
        cel.compile(f"{name}({', '.join(['1.5'] * count)})", names=())
    assert caught.value.code == "type"


def test_every_function_of_koreo_is_here() -> None:
    koreo = {
        each.name
        for each in cel.functions()
        if each.profile == "koreo" and each.implementation.__module__.endswith("koreo")
    }
    assert koreo - set(TAKES) == set()
