"""Functions' output is echoed with the name in front and kept in a file."""

import io
import re
import threading
from pathlib import Path

from lambent.platform.function_output import Echo, FunctionOutput


def test_each_line_is_kept_and_echoed_with_the_functions_name(tmp_path: Path) -> None:
    echo = io.StringIO()
    output = FunctionOutput(tmp_path / "logs", echo=echo)
    output.write("orders", b"one\ntwo\n")
    output.write("mails", b"three\n")
    output.close()
    assert echo.getvalue() == "orders | one\norders | two\nmails | three\n"
    assert (tmp_path / "logs" / "orders.log").read_bytes() == b"one\ntwo\n"


class Stuck(io.StringIO):
    """A terminal that stands still until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str) -> int:
        self.go.wait(timeout=30)
        return super().write(text)


def test_a_terminal_that_stands_still_holds_nobody_up_and_is_told_what_it_missed() -> None:
    terminal = Stuck()
    echo = Echo(terminal, limit=10)
    for number in range(100):
        echo.write(f"{number}\n")
    terminal.go.set()
    echo.close()
    shown = terminal.getvalue()
    assert shown.startswith("0\n1\n2\n")
    assert re.search(r"\((89|90) lines of functions left out here; the logs have them\)\n$", shown)
