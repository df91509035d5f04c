"""Patterns of definitions, as Go reads them: recorded from Go's `regexp.Compile`."""

import pytest

from lambent.kube.schema.go_patterns import pattern_error

GOOD = (
    "", "a*", r"^[a-z]([-a-z0-9]*[a-z0-9])?$", "(?i)a", "(?i-s:a)", "(?P<n>a)(?<m>b)", "[]a]", "[^]a]", "[a-b-c]",
    r"[\d-z]", r"\p{Greek}\PL", "a{,3}", "a{", "x{2,}", "a*?", r"\Qa*b\E", r"\x{41}", r"\07", "[[:alpha:]]", r"\-\.",
)  # fmt: skip
BAD = {
    "[": "missing closing ]: `[`",
    "a[b": "missing closing ]: `[b`",
    "(": "missing closing ): `(`",
    "a)": "unexpected ): `a)`",
    "*a": "missing argument to repetition operator: `*`",
    "a|*": "missing argument to repetition operator: `*`",
    "a**": "invalid nested repetition operator: `**`",
    "a{2}{3}": "invalid nested repetition operator: `{2}{3}`",
    "a{1001}": "invalid repeat count: `{1001}`",
    "a{3,2}": "invalid repeat count: `{3,2}`",
    "(?!a)": "invalid or unsupported Perl syntax: `(?!`",
    "(?=a)": "invalid or unsupported Perl syntax: `(?=`",
    "(?<=a)b": "invalid named capture: `(?<=a)b`",
    "(?P<n-1>a)": "invalid named capture: `(?P<n-1>`",
    "a\\": "trailing backslash at end of expression: ``",
    r"\1": r"invalid escape sequence: `\1`",
    r"\Z": r"invalid escape sequence: `\Z`",
    "[z-a]": "invalid character class range: `z-a`",
    "[[:foo:]]": "invalid character class range: `[:foo:]`",
    r"\pX": r"invalid character class range: `\pX`",
}


@pytest.mark.parametrize("pattern", GOOD)
def test_a_pattern_of_go_is_taken(pattern):
    assert pattern_error(pattern) is None


@pytest.mark.parametrize("pattern", BAD)
def test_another_pattern_is_refused_in_the_words_of_go(pattern):
    assert pattern_error(pattern) == f"error parsing regexp: {BAD[pattern]}"
