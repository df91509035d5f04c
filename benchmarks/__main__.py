"""`make bench`: runs every benchmark, or those named, and prints one JSON object.

Each module runs in a process of its own, so that none warms another up.
"""

import json
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NOT_BENCHMARKS = {"__init__", "__main__", "promises", "profile"}

# A benchmark that takes longer has a bug in its own bounds.
BOUND_S = 300


def names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS and path.stem[0] != "_")


def run(name: str) -> dict[str, object]:
    """One benchmark's figures, or what went wrong."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND_S, cwd=HERE.parent, check=True)
    except subprocess.CalledProcessError as error:
        return {"error": error.stderr[-500:]}
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {BOUND_S} s"}
    return dict(json.loads(done.stdout))


def main() -> int:
    chosen = sys.argv[1:] or names()
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    results = {name: run(name) for name in chosen}
    print(json.dumps({"machine": machine, "results": results}, indent=2))
    return 1 if any("error" in result for result in results.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
