"""Invoke: the HTTP edge, routing to a transport, and the durable queue of asynchronous events."""

from lambent.invoke.async_store import EventStore
from lambent.invoke.asynchronous import Acceptance, AsyncQueue
from lambent.invoke.committer import GroupCommitter, InlineRunner, QueueUnavailable
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.directory import Directory, Target
from lambent.invoke.http import InvokeService
from lambent.invoke.limits import InvokeLimits
from lambent.invoke.names import is_invoke_path
from lambent.invoke.senders import aws_senders
from lambent.invoke.transport import Transport

__all__ = [
    "Acceptance",
    "AsyncQueue",
    "Concurrency",
    "Directory",
    "EventStore",
    "GroupCommitter",
    "InlineRunner",
    "InvokeLimits",
    "InvokeService",
    "QueueUnavailable",
    "Target",
    "Transport",
    "aws_senders",
    "is_invoke_path",
]
