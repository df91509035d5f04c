"""Functions' output is echoed with the name in front and kept in a file."""

import io
from pathlib import Path

from lambent.platform.function_output import FunctionOutput


def test_each_line_is_kept_and_echoed_with_the_functions_name(tmp_path: Path) -> None:
    echo = io.StringIO()
    output = FunctionOutput(tmp_path / "logs", echo=echo)
    output.write("orders", b"one\ntwo\n")
    output.write("mails", b"three\n")
    output.close()
    assert echo.getvalue() == "orders | one\norders | two\nmails | three\n"
    assert (tmp_path / "logs" / "orders.log").read_bytes() == b"one\ntwo\n"
