"""The outcome algebra: the highest wins, the shortest delay counts, nothing is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.workflow.engine import DepSkip, Ok, Outcome, PermFail, Retry, Skip, combine, name_of
from lambent.workflow.engine.outcomes import located, shortened

ORDER = (DepSkip, Skip, Ok, Retry, PermFail)


@pytest.mark.parametrize(
    ("given_", "combined"),
    [
        ([], Skip()),
        ([Skip("a"), Skip("b")], Skip("a, b")),
        ([Ok(1), Skip("a"), Ok(2)], Ok([1, 2])),
        ([Skip("a"), Skip(""), Skip("b", "x")], Skip("a, b", "x")),
        ([DepSkip("a"), Skip("b")], Skip("b")),
        ([Ok(1), Retry("a", 30), Retry("b", 5)], Retry("a, b", 5)),
        ([Retry("a", 1, "x"), PermFail("b", "y"), PermFail("c", "z")], PermFail("b, c", "y, z")),
        ([Retry("a", 1, is_server_error=True), Retry("b", 2)], Retry("a, b", 1)),
        (
            [Retry("a", 1, is_server_error=True), Retry("b", 2, is_server_error=True)],
            Retry("a, b", 1, is_server_error=True),
        ),
    ],
)
def test_combinations(given_: list[Outcome], combined: Outcome) -> None:
    assert combine(given_) == combined


def test_an_outcome_says_nothing_unless_it_is_told_to() -> None:
    assert [(kind().message, kind().location) for kind in (DepSkip, Skip, Retry, PermFail)] == [("", "")] * 4
    assert (Ok().value, Retry().delay_s, Retry().is_server_error) == (None, 30.0, False)


def test_outcomes_go_by_the_names_that_koreo_gives_them() -> None:
    made = (DepSkip(), Skip(), Ok(), Retry(), PermFail())
    assert [name_of(outcome) for outcome in made] == ["DepSkip", "Skip", "Ok", "Retry", "PermFail"]


def test_an_outcome_keeps_the_place_that_it_has() -> None:
    assert located(Skip("a"), "x") == Skip("a", "x")
    assert located(Skip("a", "y"), "x") == Skip("a", "y")
    assert located(Ok(1), "x") == Ok(1)


def test_a_long_message_is_cut_to_its_limit() -> None:
    assert shortened("x" * 200) == "x" * 200
    assert shortened("x" * 201) == "x" * 197 + "..."


texts = st.sampled_from(["", "m"])
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(DepSkip, texts, texts),
    st.builds(Skip, texts, texts),
    st.builds(Ok, st.integers()),
    st.builds(Retry, texts, st.floats(0, 100), texts),
    st.builds(PermFail, texts, texts),
)


@given(st.lists(outcomes, min_size=1))
def test_the_highest_kind_wins(given_: list[Outcome]) -> None:
    assert type(combine(given_)) is max((type(outcome) for outcome in given_), key=ORDER.index)


@given(st.lists(outcomes, min_size=1))
def test_the_kind_does_not_depend_on_the_order(given_: list[Outcome]) -> None:
    assert type(combine(given_)) is type(combine(reversed(given_)))


@given(st.lists(outcomes, min_size=1))
def test_a_combined_retry_waits_no_longer_than_any_of_its_parts(given_: list[Outcome]) -> None:
    combined = combine(given_)
    if isinstance(combined, Retry):
        assert combined.delay_s == min(outcome.delay_s for outcome in given_ if isinstance(outcome, Retry))


@given(st.lists(outcomes, min_size=1), st.lists(outcomes, min_size=1))
def test_combining_in_two_steps_gives_the_same_kind(one: list[Outcome], other: list[Outcome]) -> None:
    assert type(combine([combine(one), combine(other)])) is type(combine([*one, *other]))
