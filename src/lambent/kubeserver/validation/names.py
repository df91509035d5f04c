"""Rules for names, keys and values: each gives the texts of what is wrong, none when all is well.

Source: Kubernetes docs, "Object Names and IDs", RFC 1035 and RFC 1123; texts as kube-apiserver 1.34.
"""

import re
from collections.abc import Callable
from typing import Any

Rule = Callable[[Any], list[str]]

LABEL_LIMIT, NAME_LIMIT = 63, 253

_CHARS = "alphanumeric characters, '-', '_' or '.'"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_UNDERSCORED_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})\Z", re.ASCII)


def _described(text: str, pattern: str, *examples: str) -> str:
    listed = " or ".join(f"'{one}', " for one in examples)
    used = f"regex used for validation is '{pattern}'"
    return f"{text} (e.g. {listed}{used})" if examples else f"{text} ({used})"


def _longer(value: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} characters"] if len(value.encode()) > limit else []


def _shaped(pattern: str, text: str, *examples: str, limit: int | None = None) -> Rule:
    """The rule of a pattern, which its text quotes, and of a length in bytes."""
    fits, said = _compiled(pattern).match, _described(text, pattern, *examples)

    def rule(value: str) -> list[str]:
        out = _longer(value, limit) if limit is not None else []
        return out if fits(value) else [*out, said]

    return rule


_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, {}, and must start and end "
    "with an alphanumeric character"
)
dns_1035 = _shaped(
    "[a-z]([-a-z0-9]*[a-z0-9])?",
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    "my-name",
    "abc-123",
    limit=LABEL_LIMIT,
)
subdomain = _shaped(_SUBDOMAIN, _SUBDOMAIN_TEXT.format("'-' or '.'"), "example.com", limit=NAME_LIMIT)
# What a resolver may search: labels may begin with underscores and hold them.
underscored_subdomain = _shaped(
    rf"{_UNDERSCORED_LABEL}(\.{_UNDERSCORED_LABEL})*",
    _SUBDOMAIN_TEXT.format("'_', '-' or '.'"),
    "example.com",
    limit=NAME_LIMIT,
)
label_value = _shaped(
    f"({_QUALIFIED})?",
    f"a valid label must be an empty string or consist of {_CHARS}, and must start and end with an alphanumeric "
    "character",
    "MyValue",
    "my_value",
    "12345",
    limit=LABEL_LIMIT,
)
percent = _shaped("[0-9]+%", "a valid percent string must be a numeric string followed by an ending '%'", "1%", "93%")
header_name = _shaped(
    "[-A-Za-z0-9]+", "a valid HTTP header must consist of alphanumeric characters or '-'", "X-Header-Name"
)
url_path = _shaped(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", "Invalid path")
_config_name = _shaped(
    "[-._a-zA-Z0-9]+",
    f"a valid config key must consist of {_CHARS}",
    "key.name",
    "KEY_NAME",
    "key-name",
    limit=NAME_LIMIT,
)
_LABEL_TEXT = _described(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_QUALIFIED_TEXT = _described(
    f"must consist of {_CHARS}, and must start and end with an alphanumeric character",
    _QUALIFIED,
    "MyName",
    "my.name",
    "123-abc",
)
_ENV_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_IS_LABEL, _IS_SUBDOMAIN, _IS_QUALIFIED = _compiled(_LABEL), _compiled(_SUBDOMAIN), _compiled(_QUALIFIED)
_IS_PORT_NAME, _IS_PRINTABLE = _compiled("[-a-z0-9]+"), _compiled(r"[ -<>-~]+")


def dns_label(value: str) -> list[str]:
    out = _longer(value, LABEL_LIMIT)
    if _IS_LABEL.match(value):
        return out
    return [*out, "must not contain dots" if _IS_SUBDOMAIN.match(value) else _LABEL_TEXT]


def path_segment(value: str) -> list[str]:
    """What can stand in a URL's path."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{sign}'" for sign in "/%" if sign in value]


def generated(rule: Rule) -> Rule:
    """The rule for a generateName: it may end in a dash, which more will follow."""
    return lambda value: rule(value[:-1] + "a" if len(value) > 1 and value.endswith("-") else value)


def qualified(value: str) -> list[str]:
    """A name with an optional domain before a slash: keys of labels, finalizers."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        ending = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a qualified name {_QUALIFIED_TEXT}{ending}"]
    out = []
    if slash and not prefix:
        out.append("prefix part must be non-empty")
    elif slash:
        out += [f"prefix part {text}" for text in subdomain(prefix)]
    if not name:
        out.append("name part must be non-empty")
    elif len(name.encode()) > LABEL_LIMIT:
        out.append(f"name part must be no more than {LABEL_LIMIT} characters")
    if not _IS_QUALIFIED.match(name):
        out.append(f"name part {_QUALIFIED_TEXT}")
    return out


def config_key(value: str) -> list[str]:
    """Of ConfigMaps and Secrets, which become names of files."""
    out = _config_name(value)
    if value in (".", ".."):
        return [*out, f"must not be '{value}'"]
    return [*out, "must not start with '..'"] if value.startswith("..") else out


def env_name(value: str) -> list[str]:
    if not value:
        return ["environment variable name must be non-empty"]
    return [] if _IS_PRINTABLE.match(value) else [_ENV_TEXT]


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def port_name(value: str) -> list[str]:
    """An IANA service name."""
    out = []
    if len(value) > 15:
        out.append("must be no more than 15 characters")
    if not _IS_PORT_NAME.match(value):
        out.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        out.append("must contain at least one letter (a-z)")
    if "--" in value:
        out.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        out.append("must not begin or end with a hyphen")
    return out


def port(value: int | str) -> list[str]:
    """Of a container: by its number or its name."""
    return port_name(value) if isinstance(value, str) else port_number(value)
