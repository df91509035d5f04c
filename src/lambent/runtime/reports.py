"""The platform's own log lines: START, END and REPORT, in AWS's order, tab separated.

Source: AWS Lambda developer guide, "Viewing CloudWatch logs for Lambda".
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """Durations in seconds; `init_s` only for the first event of an instance; `status` "timeout", "error" or ""."""

    request_id: str
    duration_s: float
    memory_mb: int
    peak_memory_bytes: int
    init_s: float | None = None
    status: str = ""
    error_type: str = ""

    def line(self) -> bytes:
        billed_ms = math.ceil((self.duration_s + (self.init_s or 0.0)) * 1000)
        peak_mb = math.ceil(self.peak_memory_bytes / 2**20)
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_s * 1000:.2f} ms",
            f"Billed Duration: {billed_ms} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {peak_mb} MB",
        ]
        if self.init_s is not None:
            fields.append(f"Init Duration: {self.init_s * 1000:.2f} ms")
        if self.status:
            fields.append(f"Status: {self.status}")
        if self.status == "error" and self.error_type:
            fields.append(f"Error Type: {self.error_type}")
        return ("\t".join(fields) + "\t\n").encode()


def start_line(request_id: str, version: str) -> bytes:
    return f"START RequestId: {request_id} Version: {version}\n".encode()


def end_line(request_id: str) -> bytes:
    return f"END RequestId: {request_id}\n".encode()
