"""Names of Lambda functions in every form the API takes, and the ARNs they stand for.

A function may be written `name`, `name:qualifier`, `function:name`, `<account>:function:name[:q]` or as a full ARN with
or without qualifier. One regular expression reads them all; what it cannot read is not a name. Account ids of fewer
than 12 digits are read as themselves padded with zeros (`account_ids: lenient`), but only before `function:`, so that
`123:prod` stays function 123 with alias `prod`.

Source: AWS Lambda API reference, parameter `FunctionName`; service model, shape `NamespacedFunctionName`.
Not here: whether the function exists, and the wording of a refusal.
"""

import re
from functools import lru_cache
from typing import NamedTuple

LATEST = "$LATEST"

_FORM = re.compile(
    r"(?:arn:(?P<partition>aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}|\d{1,11}(?=:function:)):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    re.ASCII,
)
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-iso-", "aws-iso"))


class FunctionName(NamedTuple):
    """What a caller wrote; None where the form leaves a part out."""

    name: str
    qualifier: str | None = None
    account: str | None = None
    region: str | None = None


class FunctionId(NamedTuple):
    """A function without qualifier, complete: the key of all state."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:lambda:{self.region}:{self.account}:function:{self.name}"

    def qualified_arn(self, qualifier: str) -> str:
        return f"{self.arn}:{qualifier}"


@lru_cache(maxsize=4096)
def parse_function_name(text: str) -> FunctionName | None:
    """None when the text has none of the forms (already percent-decoded)."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    account = found["account"]
    return FunctionName(found["name"], found["qualifier"], account and account.zfill(12), found["region"])


def function_id(arn: str) -> FunctionId:
    """The function an ARN of ours names, qualifier dropped; raises ValueError for anything else."""
    parsed = parse_function_name(arn)
    if parsed is None or parsed.account is None or parsed.region is None:
        raise ValueError(f"not a function ARN: {arn}")
    return FunctionId(parsed.account, parsed.region, parsed.name)


@lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """Source: AWS general reference, "Amazon Resource Names"."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def is_version(qualifier: str) -> bool:
    """Whether a qualifier is a version number (else it is `$LATEST` or an alias)."""
    return qualifier.isascii() and qualifier.isdigit()
