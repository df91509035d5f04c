"""Semantic versions and named formats, as kube-apiserver 1.34 answered them."""

import pytest

from lambent import cel

TRUE = (
    "semver('v1', true).major() == 1",
    "semver('1.02.3', true).minor() == 2",
    "semver('1.2.3').patch() == 3",
    "isSemver('1.0.0-alpha+b.c') && !isSemver('1.2') && isSemver('1.2', true) && !isSemver('v1.2.3')",
    "semver('1.0.0-alpha').isLessThan(semver('1.0.0-alpha.1'))",
    "semver('1.0.0-2').isLessThan(semver('1.0.0-a'))",
    "semver('1.10.0').isGreaterThan(semver('1.9.0')) && semver('1.0.0-a').compareTo(semver('1.0.0')) == -1",
    "semver('1.0.0+a') == semver('1.0.0+b')",
    "!format.dns1123Label().validate('a-1').hasValue()",
    "!format.dns1123LabelPrefix().validate('a-').hasValue()",
    "!format.qualifiedName().validate('a.b/C_d').hasValue() && !format.labelValue().validate('').hasValue()",
    "format.dns1123Label().validate('a.b').value() == ['must not contain dots']",
    "format.uuid().validate('x').value() == ['does not match the UUID format']",
    "format.byte().validate('*').value() == ['invalid base64']",
    "format.date().validate('2020-13-01').value() == ['invalid date']",
    "format.datetime().validate('x').value() == ['invalid datetime']",
    "format.uri().validate('/a?b').hasValue() == false",
    "!format.named('zz').hasValue() && format.named('uuid').value().validate('x').hasValue()",
)
REFUSED = {
    "semver('')": "Version string empty",
    "semver('1.2')": "No Major.Minor.Patch elements found",
    "semver('1.2.x')": 'Invalid character(s) found in patch number "x"',
    "semver('01.2.3')": 'Major number must not contain leading zeroes "01"',
    "semver('1.2.3-01')": 'Numeric PreRelease version must not contain leading zeroes "01"',
    "semver('1.2.3-a_b')": 'Invalid character(s) found in prerelease "a_b"',
    "semver('1.2-a', true)": "short version cannot contain PreRelease/Build meta data",
}


def evaluated(text: str) -> object:
    return cel.compile(text, names=set(), profile="strict").evaluate({})


@pytest.mark.parametrize("text", TRUE)
def test_it_holds(text):
    assert evaluated(text) is True


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_version_is_refused_with_the_reason(text):
    with pytest.raises(cel.CelError) as caught:
        evaluated(text)
    assert caught.value.message == REFUSED[text]


def test_koreo_expressions_do_not_have_them():
    with pytest.raises(cel.CelError, match="semver"):
        cel.compile("semver('1.2.3')", names=set())
