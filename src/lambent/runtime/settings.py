"""Settings of a runtime pool, with units, defaults and reasons."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Durations in seconds. `max_concurrency` is the most runtimes that live at once."""

    max_concurrency: int = 1
    min_runtimes: int = 0
    """Started before the pool is ready and never reaped."""
    max_waiting: int = 1_000
    """Events in line; one more is refused, so memory stays bounded when callers outrun runtimes."""
    init_timeout_s: float = 10.0
    idle_timeout_s: float = 1_800.0
    """0 = never reap."""
    returning_grace_s: float = 0.1
    """How long a runtime that has answered counts as nearly free; longer means it does other work."""
    stop_grace_s: float = 0.0
    """Between SIGTERM and SIGKILL; 0 = SIGKILL at once, as AWS does for functions without extensions."""
    drain_s: float = 20.0
    crash_loop_after: int = 5
    crash_loop_max_s: float = 5.0
    event_limit_bytes: int = 6_291_456
    response_limit_bytes: int = 6_291_556
    error_limit_bytes: int = 262_144
    connection_limit: int = 128
    """Connections on one instance's API address; a runtime uses one to three."""
    idle_connection_s: float = 120.0
    base_port: int = 0
    """Port that the first instance takes when it is free (9001 in the daemon); 0 = any."""
    print_reports: bool = True

    def __post_init__(self) -> None:
        if self.max_concurrency < 1 or self.min_runtimes < 0 or self.max_waiting < 0:
            raise ValueError("max_concurrency is at least 1; min_runtimes and max_waiting are not negative")
        if self.min_runtimes > self.max_concurrency:
            raise ValueError("min_runtimes exceeds max_concurrency")
