"""How a fake service says no."""


class Refusal(Exception):
    """An AWS error: code, message, HTTP status."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
