"""Bounds of an invocation, one frozen object. Source: AWS Lambda quotas; the budgets are ours."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvokeLimits:
    """Sizes in bytes, durations in seconds."""

    request: int = 6_291_456
    event_request: int = 1_048_576
    client_context: int = 3_583
    account_concurrency: int = 1000
    start_budget_s: float = 15.0  # cold start of a function that is still Pending; below the SDK's 60 s read timeout
    init_allowance_s: float = 10.0
    queue_wait_s: float = 30.0
    reply_margin_s: float = 5.0  # a transport that misses its own deadline by this is given up
    validates_json: bool = True
    empty_as_object: bool = True
