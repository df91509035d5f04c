"""Formats by name, as Kubernetes has them for validation rules: `format.dns1123Label().validate(x)`.

`validate` gives the texts of what is wrong, in an optional that is empty when all is well. In the strict profile.
Source: Kubernetes documentation, "Common Expression Language in Kubernetes"; texts as kube-apiserver 1.34.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

from lambent.cel.registry import function
from lambent.cel.values import NONE, OptionalValue, register_kind

_STRICT: Final = "strict"
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_LIMIT, _SUBDOMAIN_LIMIT = 63, 253
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_DATE_TIME: Final = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d\d:?\d\d)"
)
_SIGNS: Final = "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
_LABEL_TEXT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_TEXT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_1035_TEXT: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{_LABEL_1035}')"
)
_QUALIFIED_TEXT: Final = (
    f"must consist of {_SIGNS} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_QUALIFIED}')"
)
_VALUE_TEXT: Final = (
    f"a valid label must be an empty string or consist of {_SIGNS} (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
    f"used for validation is '({_QUALIFIED})?')"
)

Check = Callable[[str], list[str]]


class Format:
    """A named format."""

    __slots__ = ("check", "name")

    def __init__(self, name: str, check: Check) -> None:
        self.name: Final = name
        self.check: Final = check


register_kind(Format, "format")


def _longer(text: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} characters"] if len(text.encode()) > limit else []


def _spelled(pattern: str, limit: int, why: str) -> Check:
    compiled = re.compile(pattern)
    return lambda text: [*_longer(text, limit), *([] if compiled.fullmatch(text) else [why])]


def _dns_label(text: str) -> list[str]:
    if re.fullmatch(_LABEL, text):
        return _longer(text, _LABEL_LIMIT)
    why = "must not contain dots" if re.fullmatch(_SUBDOMAIN, text) else _LABEL_TEXT
    return [*_longer(text, _LABEL_LIMIT), why]


def _prefix(check: Check) -> Check:
    """Of a name that more will follow: it may end in a dash."""
    return lambda text: check(text[:-1] + "a" if len(text) > 1 and text.endswith("-") else text)


_subdomain = _spelled(_SUBDOMAIN, _SUBDOMAIN_LIMIT, _SUBDOMAIN_TEXT)
_label_1035 = _spelled(_LABEL_1035, _LABEL_LIMIT, _LABEL_1035_TEXT)


def _qualified(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return [
            f"a qualified name {_QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    out = ["prefix part must be non-empty"] if slash and not prefix else []
    out += [f"prefix part {why}" for why in _subdomain(prefix)] if prefix else []
    if not name:
        out.append("name part must be non-empty")
    out += [f"name part {why}" for why in _longer(name, _LABEL_LIMIT)]
    return out if re.fullmatch(_QUALIFIED, name) else [*out, f"name part {_QUALIFIED_TEXT}"]


def _uri(text: str) -> list[str]:
    from lambent.cel.library.kubernetes import is_url

    return [] if is_url(text) else [f'parse "{text}": invalid URI for request']


def _byte(text: str) -> list[str]:
    try:
        return [] if text and base64.b64decode(text, validate=True) is not None else ["invalid base64"]
    except (binascii.Error, ValueError):
        return ["invalid base64"]


def _date(text: str) -> list[str]:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return ["invalid date"]
    return [] if len(text) == len("2006-01-02") else ["invalid date"]


_FORMATS: Final[dict[str, Check]] = {
    "dns1123Label": _dns_label,
    "dns1123Subdomain": _subdomain,
    "dns1035Label": _label_1035,
    "qualifiedName": _qualified,
    "dns1123LabelPrefix": _prefix(_dns_label),
    "dns1123SubdomainPrefix": _prefix(_subdomain),
    "dns1035LabelPrefix": _prefix(_label_1035),
    "labelValue": _spelled(f"({_QUALIFIED})?", _LABEL_LIMIT, _VALUE_TEXT),
    "uri": _uri,
    "uuid": lambda text: [] if _UUID.fullmatch(text) else ["does not match the UUID format"],
    "byte": _byte,
    "date": _date,
    "datetime": lambda text: [] if _DATE_TIME.fullmatch(text) else ["invalid datetime"],
}


@function("format.named", "string -> optional", "The format of that name, if there is one.", profile=_STRICT)
def named(name: str) -> OptionalValue:
    check = _FORMATS.get(name)
    return NONE if check is None else OptionalValue(Format(name, check))


@function("validate", "format string -> optional", "What is wrong with the string, if anything is.", profile=_STRICT)
def validate(wanted: Format, text: str) -> OptionalValue:
    found = wanted.check(text)
    return OptionalValue(found) if found else NONE


def _constant(name: str, check: Check) -> None:
    made = Format(name, check)

    @function(f"format.{name}", "-> format", f"The format `{name}`.", profile=_STRICT)
    def constant() -> Format:
        return made


for _name, _check in _FORMATS.items():
    _constant(_name, _check)
