"""What an evaluation may cost."""

import json
import threading

import pytest

from lambent import cel
from lambent.cel import limits


def limited(text, **bindings):
    with pytest.raises(cel.CelError) as caught:
        cel.compile(text, names=bindings).evaluate(bindings)
    assert caught.value.code == "limit"
    return caught.value.message


@pytest.fixture
def few_iterations(monkeypatch):
    """A thousandth of the iterations, and a clock that stands still."""
    monkeypatch.setattr(limits, "MAX_ITERATIONS", 1000)
    monkeypatch.setattr(limits, "monotonic", lambda: 0.0)


def test_iterations_are_counted_across_nesting(few_iterations):
    items = list(range(32))
    assert "1000 iterations" in limited("l.map(x, l.map(y, 1))", l=items)
    assert "iterations" in limited("l.all(x, l.exists(y, y == 31))", l=items)
    assert "iterations" in limited("l.transformList(i, v, l.transformMap(j, w, w))", l=items)
    assert cel.compile("l.map(x, x + 1).size()", names={"l"}).evaluate({"l": list(range(900))}) == 900


def test_a_limit_is_not_absorbed_by_the_logic_around_it(few_iterations):
    items = list(range(32))
    limited("l.all(x, l.all(y, true)) || true || l[5000] == 1", l=items)
    limited("l.exists(z, [1].exists(q, l.all(x, l.all(y, true)))) || l[5000] == 1", l=items)


def test_strings_and_lists_have_a_greatest_size():
    grow = "s" + "".join(f".replace('a', '{'a' * 16}')" for _ in range(6))
    assert "characters" in limited(grow, s="aaaa")
    assert "characters" in limited("s + s", s="a" * 5_000_000)
    assert "characters" in limited("[s, s].join()", s="a" * 5_000_000)
    assert "characters" in limited("'%s%s'.format([s, s])", s="a" * 5_000_000)
    assert "characters" in limited("to_json([s, s])", s="a" * 5_000_000)
    assert "characters" in limited("from_json(s)", s="1" * 9_000_000)
    assert "characters" in limited("b64encode(s)", s="a" * 8_000_000)
    assert "items" in limited("l + l", l=[0] * 600_000)
    assert "items" in limited("[l, l].flatten()", l=[0] * 600_000)
    assert "items" in limited("s.split(',')", s="," * 1_000_001)


@pytest.mark.parametrize("letter", ["a", "\u00e9"], ids=["plain", "escaped"])
def test_json_text_may_be_as_long_as_any_other(letter: str):
    """Of the second nobody knows beforehand that it is short enough."""
    size = limits.MAX_TEXT // 6 - 10
    program = cel.compile("to_json(s)", names={"s"})
    assert program.evaluate({"s": letter * size}) == json.dumps(letter * size)
    assert program.evaluate({"s": "a" * 2 * size}) == json.dumps("a" * 2 * size)


@pytest.mark.parametrize(
    "use",
    [
        "to_json(a40)",
        "a40 == b40",
        "[a40].distinct()",
        "'%s'.format([a40])",
        "overlay(a40, b40)",
        "sets.contains([a40], [b40])",
    ],
)
def test_a_small_value_that_is_enormous_to_walk_through_is_refused(monkeypatch, use):
    monkeypatch.setattr(limits, "MAX_ITEMS", 1000)
    text = "".join(
        f"cel.bind({name}{n}, {{'l': {name}{n - 1}, 'r': {name}{n - 1}}}, " for name in "ab" for n in range(1, 41)
    )
    assert "items" in limited(f"cel.bind(a0, {{'l': 1}}, cel.bind(b0, {{'l': 1}}, {text}{use}" + ")" * 82)


def test_the_wall_time_is_looked_at_in_long_loops(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(limits, "monotonic", lambda: next(clock) * 0.4)
    assert "1 s" in limited("l.map(x, x)", l=list(range(2000)))


def test_a_program_may_be_evaluated_by_several_threads_at_once():
    program = cel.compile("l.map(x, x * n).filter(x, x % 2 == 0).size() == 500 || l[n + 5000] == 1", names={"l", "n"})
    items = list(range(1000))
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(program.evaluate({"l": items, "n": 1}))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
