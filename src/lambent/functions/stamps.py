"""Ids and times as the Lambda API prints them; both are injected so that a test can fix them."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

NewId = Callable[[], str]


def new_id() -> str:
    return str(uuid.uuid4())


def aws_timestamp(moment: datetime) -> str:
    """`2026-01-31T10:00:00.123+0000`."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
