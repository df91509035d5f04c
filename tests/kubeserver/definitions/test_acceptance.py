"""Who gets which names within a group."""

import pytest

from lambent.kubeserver.definitions.acceptance import NOBODY, accept

HELD = {"plural": "helds", "singular": "held", "kind": "Held", "listKind": "HeldList", "shortNames": ["h"]}


def wanted(**changes):
    names = {"plural": "others", "singular": "other", "kind": "Other", "listKind": "OtherList", "shortNames": ["o"]}
    return {**names, **changes}


@pytest.mark.parametrize(
    ("field", "value", "reason", "message"),
    [
        ("plural", "helds", "PluralConflict", '"helds" is already in use'),
        ("singular", "held", "SingularConflict", '"held" is already in use'),
        ("singular", "h", "SingularConflict", '"h" is already in use'),
        ("kind", "HeldList", "KindConflict", '"HeldList" is already in use'),
        ("listKind", "Held", "ListKindConflict", '"Held" is already in use'),
        ("shortNames", ["h", "x"], "ShortNamesConflict", '"h" is already in use'),
        ("shortNames", ["h", "held"], "ShortNamesConflict", '["h" is already in use, "held" is already in use]'),
    ],
)
def test_a_name_of_another_is_refused_and_the_rest_are_taken(field, value, reason, message):
    asked = wanted(**{field: value})
    got = accept(asked, NOBODY, [HELD])
    assert (got.reason, got.message, got.is_whole) == (reason, message, False)
    rest = {name: one for name, one in asked.items() if name != field}
    assert got.names == {**NOBODY, **rest}


def test_a_definition_keeps_its_own_names():
    assert accept(HELD, HELD, [HELD]).is_whole


def test_a_refused_change_leaves_the_old_name():
    got = accept({**HELD, "singular": "other"}, HELD, [wanted()])
    assert (got.names["singular"], got.reason) == ("held", "SingularConflict")
