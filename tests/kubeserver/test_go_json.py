"""JSON texts as Go's decoder takes them; the words are those a real kube-apiserver gave."""

import json

import pytest

from lambent.kubeserver.requests.go_json import loads_as_go, why_no_json

BROKEN = [
    ("", "unexpected end of JSON input"),
    ('{"a"', "unexpected end of JSON input"),
    ('{"a"= 1}', "invalid character '=' after object key"),
    ("{'a': 1}", "invalid character '\\'' looking for beginning of object key string"),
    ('{"a": 1 "b"}', "invalid character '\"' after object key:value pair"),
    ('{"a": 1,}', "invalid character '}' looking for beginning of object key string"),
    ("[1 2]", "invalid character '2' after array element"),
    ("[1]x", "invalid character 'x' after top-level value"),
    ("nul", "invalid character ' ' in literal null (expecting 'l')"),
    ("1.", "invalid character ' ' after decimal point in numeric literal"),
    ('"\\', "invalid character ' ' in string escape code"),
    ("nil", "invalid character 'i' in literal null (expecting 'u')"),
    ("01", "invalid character '1' after top-level value"),
    ("1.x", "invalid character 'x' after decimal point in numeric literal"),
    ("1ex", "invalid character 'x' in exponent of numeric literal"),
    ("-x", "invalid character 'x' in numeric literal"),
    ('"\\x"', "invalid character 'x' in string escape code"),
    ('"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"),
    ('"a\nb"', "invalid character '\\n' in string literal"),
    ("\xef\xbb\xbf{}", "invalid character 'ï' looking for beginning of value"),
]


@pytest.mark.parametrize(("text", "why"), BROKEN)
def test_the_first_thing_wrong_is_told(text, why):
    assert why_no_json(text) == why


@pytest.mark.parametrize("value", [None, [], {}, {"a": [1, -1.5e3, 'x\n\u00e9"', True, {"b": None}]}])
def test_json_is_json(value):
    assert why_no_json(json.dumps(value, indent=1)) == ""


def test_a_lone_surrogate_is_replaced():
    assert loads_as_go('{"\\ud800": ["\\udfff", "\\ud83d\\ude00"]}') == {"\ufffd": ["\ufffd", "\U0001f600"]}


def test_a_number_beyond_all_floats_is_refused():
    with pytest.raises(ValueError, match="1e400"):
        loads_as_go("1e400")
