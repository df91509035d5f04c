"""A token bucket on the running loop's clock."""

import asyncio


class TokenBucket:
    """Starts full with `burst` tokens and gains `per_s` each second."""

    def __init__(self, per_s: float, burst: float) -> None:
        if per_s <= 0 or burst < 1:
            raise ValueError("a token bucket needs a positive rate and room for one token")
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._filled_at = asyncio.get_running_loop().time()

    def take(self) -> bool:
        """Takes one token if there is one."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve_s(self) -> float:
        """Takes one token from the future if need be; returns how long to wait before it may be used."""
        self._fill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_s)

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
