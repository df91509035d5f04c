"""What the Lambda service asks of its neighbours in AWS, answered through ordinary AWS clients.

The clients reach the embedded AWS over the same port as everybody, or AWS itself; the service cannot tell.
"""

import json
import logging
from urllib.parse import unquote

from lambent.aws.clients import AwsClients
from lambent.aws.errors import AwsError

log = logging.getLogger(__name__)

_SERVICE_PRINCIPAL = "lambda.amazonaws.com"


class BucketObjects:
    """`functions.ObjectSource`: code that lies in a bucket."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    async def get_object(self, bucket: str, key: str, *, version: str | None, region: str) -> bytes:
        which = {"VersionId": version} if version else {}
        answer = await self._clients.call("s3", "GetObject", region=region, Bucket=bucket, Key=key, **which)
        async with answer["Body"] as body:
            return bytes(await body.read())


class IamRoles:
    """`functions.RoleChecker`, lenient: refuses only what the known IAM surely does not allow."""

    def __init__(self, clients: AwsClients, *, account_id: str) -> None:
        self._clients = clients
        self._account_id = account_id

    async def may_assume(self, role_arn: str) -> bool:
        account, _, path = role_arn.split(":", 4)[4].partition(":")
        if account != self._account_id:
            return True
        try:
            answer = await self._clients.call("iam", "GetRole", RoleName=path.rpartition("/")[2])
        except AwsError as error:
            if error.code == "NoSuchEntity":
                return False
            log.warning("a role was not checked: %s", error)
            return True
        return trusts_lambda(answer["Role"].get("AssumeRolePolicyDocument"))


def trusts_lambda(document: object) -> bool:
    """Whether a trust policy names the Lambda service; botocore gives it as a dict, AWS as URL-encoded text."""
    text = unquote(document) if isinstance(document, str) else json.dumps(document)
    return _SERVICE_PRINCIPAL in text
