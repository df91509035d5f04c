"""`matches`: RE2's syntax and meaning, and patterns that would run away."""

import time

import pytest

from lambent import cel
from lambent.cel.library.pattern_syntax import translate

DNS_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
IPV4 = r"^((25[0-5]|(2[0-4]|1?[0-9])?[0-9])\.){3}(25[0-5]|(2[0-4]|1?[0-9])?[0-9])$"


def matches(text, pattern, profile="strict"):
    program = cel.compile("text.matches(pattern)", names={"text", "pattern"}, profile=profile)
    return program.evaluate({"text": text, "pattern": pattern})


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("b+", "abba", True),
        ("^b", "abba", False),
        ("^abc$", "abc\n", False),
        ("(?m)^b$", "a\nb\nc", True),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("(?i)ABC", "xabcx", True),
        ("(?i:A)b", "ab", True),
        ("(?i:A)b", "aB", False),
        ("a(?i)b", "aB", True),
        (r"^\d+$", "12", True),
        (r"^\d+$", "١٢", False),
        (r"^\D$", "١", True),
        (r"^\w+$", "a_1", True),
        (r"^\w$", "é", False),
        (r"^[\w-]+$", "a-b", True),
        (r"^[^\s]$", " ", False),
        (r"^[\D]$", "1", False),
        (r"\bfoo\b", "a foo b", True),
        (r"\bfoo\b", "afoo", False),
        (r"\Boo\b", "foo", True),
        (r"^[[:alpha:]]+$", "abC", True),
        (r"^[[:^alpha:]]+$", "12", True),
        (r"^[^[:digit:]]+$", "a1", False),
        (r"^\x41\x{42}$", "AB", True),
        (r"^\Qa.b\E$", "a.b", True),
        (r"^\Qa.b\E$", "axb", False),
        (r"^\pL+$", "éa", True),
        (r"^\p{Greek}$", "α", True),
        (r"^[\pL1]$", "1", True),
        (r"^[^\pL]$", "é", False),
        (r"^\PL$", "1", True),
        (r"\Aab\z", "ab", True),
        (r"^(?P<x>a)(?<y>b)$", "ab", True),
        (r"^a{2,3}$", "aaaa", False),
        (r"^a{2,}?$", "aaaa", True),
        (r"^a{,3}$", "a{,3}", True),
        (r"^[]a]+$", "]a", True),
        (r"^[a\]b]+$", "]", True),
        (r"^[a-]+$", "-", True),
        (r"^[\.\-/]+$", ".-/", True),
        (r"^\0\a\f\t\n\r\v$", "\0\a\f\t\n\r\v", True),
        (r"^\053$", "+", True),
        (r"^\141$", "a", True),
        ("x(?i)y|b", "B", True),
        ("(x(?i)y|b)c", "BC", False),
        ("a|(?s)b.c|d.e", "d\ne", True),
        ("(?i)^[^a]$", "A", False),
        ("(?U)a+", "aa", True),
        ("^ #$", " #", True),
        ("😀{2}", "a😀😀", True),
        ("(|a)", "", True),
        ("^()$", "", True),
        ("(^)*a", "a", True),
        (DNS_LABEL, "my-name", True),
        (DNS_LABEL, "my-name-", False),
        (DNS_NAME, "a.b-c.d", True),
        (IPV4, "192.168.0.1", True),
        (IPV4, "192.168.0.256", False),
    ],
)
def test_a_pattern_means_what_re2_says(pattern, text, wanted):
    assert matches(text, pattern) is wanted
    assert matches(text, pattern, "koreo") is wanted


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "a)", "{2}", "a|{2}", "(?m--s)",
        "[a", "[b-a]", "*a", "a**", "(?P<1>a)", "(?Pa)", "(?<n", "\\", r"\y", r"\8x[", "[[:nope:]]",
        "a{3,2}", r"\x{110000000}", r"\xg", r"\p", r"\p{L", "(?z)", "(?-)", "(?i", "(" * 70 + ")" * 70,
        "a" * 1025,
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", ["strict", "koreo"])
def test_a_malformed_pattern_is_an_error(pattern, profile):
    with pytest.raises(cel.CelError):
        matches("a", pattern, profile)


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "(?>a)", "a++", "a{1001}"]
)
def test_what_re2_lacks_is_refused_in_strict_and_taken_in_koreo(pattern):
    with pytest.raises(cel.CelError) as caught:
        matches("aa", pattern)
    assert caught.value.code == "regex"
    assert matches("aa", pattern, "koreo") in (True, False)


@pytest.mark.parametrize(
    ("pattern", "nested", "exponential"),
    [
        (DNS_LABEL, False, False),
        (DNS_NAME, True, False),
        (IPV4, False, False),
        ("(a+)+", True, True),
        ("(a*)*", True, True),
        ("(a|a)*", True, True),
        ("(a|b|ab)*", True, True),
        ("([a-z]+)*", True, True),
        ("(a{1,2})+", True, True),
        ("(.*,)*", True, True),
        ("([^,]*,)*", True, False),
        ("(a|b)*", False, False),
        ("a*b*", False, False),
        ("a*a*", True, False),
        (r"\w+\d+", True, False),
        ("(?i)a*A*", True, False),
        (r"^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", False, False),
        ("(?=(a+)+$)b", True, True),
        ("[a-z]{3}", False, False),
        ("(a+b?){3}", True, True),
        (r"(a*)\1", True, False),
        ("a" * 200, False, False),
        ("(" + "a" * 200 + "+)+", True, True),
        ("a*" + "b" * 200 + "c*", True, False),
    ],
)
def test_the_cost_of_a_pattern_is_told_from_its_structure(pattern, nested, exponential):
    found = translate(pattern, koreo=True)
    assert (found.nested, found.exponential) == (nested, exponential)


def test_an_exponential_pattern_is_refused_when_compiling_in_strict():
    with pytest.raises(cel.CelError, match="exponential") as caught:
        cel.compile('text.matches("^(a+)+$")', names={"text"}, profile="strict")
    assert (caught.value.code, caught.value.col) == ("regex", 14)


def test_an_exponential_pattern_on_a_long_string_ends_at_once_in_koreo():
    start = time.perf_counter()
    with pytest.raises(cel.CelError) as caught:
        matches("a" * 10_000, "^(a+)+$", "koreo")
    assert caught.value.code == "limit"
    assert time.perf_counter() - start < 1


def test_a_pattern_that_takes_too_long_is_interrupted():
    with pytest.raises(cel.CelError, match=r"longer than 0\.1 s") as caught:
        matches("a" * 40 + "!", "^(a|a|aa)+$", "koreo")
    assert caught.value.code == "limit"


def test_a_long_subject_is_refused():
    with pytest.raises(cel.CelError, match="65536 characters"):
        matches("a" * 65_537, "a")


def test_a_constant_pattern_is_prepared_and_still_checks_its_subject():
    program = cel.compile("inputs.x.matches('a')", names={"inputs"})
    assert program.evaluate({"inputs": {"x": "cat"}}) is True
    with pytest.raises(cel.CelError) as caught:
        program.evaluate({"inputs": {"x": 1}})
    assert caught.value.code == "overload"


def test_find_gives_the_matching_parts():
    run = lambda text: cel.compile(text, names=set(), profile="strict").evaluate({})  # noqa: E731
    assert run("'abc 123'.find('[0-9]+')") == "123"
    assert run("'abc'.find('[0-9]+')") == ""
    assert run("'12 345'.findAll('[0-9]+')") == ["12", "345"]
    assert run("'12 345'.findAll('[0-9]+', 1)") == ["12"]
    assert run("'12 345'.findAll('[0-9]+', -1)") == ["12", "345"]


@pytest.mark.parametrize(
    "pattern",
    [
        DNS_NAME,
        IPV4,
        r"^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
        r"(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?$",
        r"^(https?://)?([\w-]+\.)+[\w-]+(/[\w- ./?%&=]*)?$",
        r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$",
        r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$",
        r"^([-a-z0-9]+\.)*[-a-z0-9]+(:\d+)?/([-a-z0-9._]+/)*[-a-z0-9._]+(:[\w.-]{1,128})?$",
    ],
)
def test_patterns_that_validation_rules_are_made_of_are_not_taken_for_exponential(pattern):
    assert matches("", pattern, "strict") in (True, False)
