"""`make profile`: the sizes of our files and functions, and the outliers by name.

STYLE: median file 80-250 lines, none over 500 without a reason; median function at most 9, none over 60.
"""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAX_FILE, MAX_FUNCTION = 500, 60


def lines(file: Path) -> int:
    return file.read_text().count("\n")


def functions(file: Path) -> Iterator[tuple[int, str]]:
    """(length in lines, place) of every function."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (
                (node.end_lineno or node.lineno) - node.lineno + 1,
                f"{file.relative_to(ROOT)}:{node.lineno} {node.name}",
            )


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main() -> int:
    source = [file for file in (ROOT / "src").rglob("*.py") if lines(file) > 3]
    tests = list((ROOT / "tests").rglob("*.py"))
    sizes = [lines(file) for file in source]
    found = [item for file in source for item in functions(file)]
    lengths = [length for length, _ in found]
    ratio = sum(map(lines, tests)) / sum(sizes)
    print(f"source files {len(source)}, lines {sum(sizes)}; test : source {ratio:.2f}")
    print(f"file     median {statistics.median(sizes):.0f}, p90 {percentile(sizes, 0.9)}, max {max(sizes)}")
    print(f"function median {statistics.median(lengths):.0f}, p90 {percentile(lengths, 0.9)}, max {max(lengths)}")
    outliers = [
        (size, str(file.relative_to(ROOT))) for size, file in zip(sizes, source, strict=True) if size > MAX_FILE
    ]
    outliers += [(length, place) for length, place in found if length > MAX_FUNCTION]
    for size, place in sorted(outliers, reverse=True):
        print(f"  {size:>5}  {place}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
