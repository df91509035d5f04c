"""What AWS, or something before it, may answer that is no answer."""

from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from lambent.aws.errors import AwsError
from lambent.resources.fake import FakeAws
from lambent.resources.port import AwsPort


class Garbled:
    """IAM behind a proxy that answers in JSON."""

    def __init__(self, meta: Any) -> None:
        self.meta = meta

    async def get_role(self, **params: Any) -> Any:
        raise ResponseParserError("not well-formed (invalid token)")

    async def client(self, service: str, region: str | None = None) -> Any:
        return self


async def test_an_answer_that_cannot_be_read_is_an_error_of_aws():
    port = AwsPort(Garbled((await FakeAws().client("iam")).meta))
    with pytest.raises(AwsError) as raised:
        await port.call("iam", "GetRole", {"RoleName": "r"}, region="us-east-1")
    assert raised.value.status == 0
