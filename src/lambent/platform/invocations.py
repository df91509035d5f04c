"""An invocation through the AWS API with boto3, as a user's own program would make it."""

import base64
from dataclasses import dataclass
from typing import Any

from lambent.aws.errors import AwsError
from lambent.aws.isolation import forget_profiles
from lambent.platform.discovery import DUMMY_KEY


@dataclass(frozen=True, slots=True)
class Answer:
    """What Invoke answered. `function_error` is empty for a success."""

    status: int
    payload_text: str
    function_error: str
    executed_version: str
    request_id: str
    log_tail: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "payload": self.payload_text,
            "functionError": self.function_error,
            "executedVersion": self.executed_version,
            "requestId": self.request_id,
        }


def boto3_client(service: str, endpoint: str, region: str) -> Any:
    """A client with everything explicit: no profile, no variable of the shell, no retries that hide a failure."""
    import boto3
    from botocore.config import Config

    forget_profiles()
    # One attempt; the read limit is above Lambda's longest timeout, 900 s, and the queue's allowance.
    config = Config(retries={"total_max_attempts": 1}, read_timeout=960)
    session = boto3.session.Session(aws_access_key_id=DUMMY_KEY, aws_secret_access_key=DUMMY_KEY, region_name=region)
    return session.client(service, endpoint_url=endpoint, config=config)


def invoke(client: Any, function: str, payload: bytes, *, asynchronous: bool = False) -> Answer:
    """Invokes with a boto3 client and reads the answer whole; raises `AwsError` when the API refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    kind = "Event" if asynchronous else "RequestResponse"
    log = {} if asynchronous else {"LogType": "Tail"}
    try:
        answer = client.invoke(FunctionName=function, Payload=payload, InvocationType=kind, **log)
    except ClientError as error:
        detail = error.response["Error"]
        raise AwsError(detail["Code"], detail["Message"], operation=f"invoke {function}") from error
    except BotoCoreError as error:
        raise AwsError("Unreachable", str(error), operation=f"invoke {function}") from error
    return Answer(
        status=answer["StatusCode"],
        payload_text=answer["Payload"].read().decode(errors="replace"),
        function_error=answer.get("FunctionError", ""),
        executed_version=answer.get("ExecutedVersion", ""),
        request_id=answer["ResponseMetadata"]["RequestId"],
        log_tail=base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
    )
