from __future__ import annotations

import subprocess
import sys

from higherself.core import process


def test_this_process_has_not_died() -> None:
    assert process.has_died(process.identity()) is False


def test_a_process_that_ended_has_died() -> None:
    code = "from higherself.core import process; print(process.identity())"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert process.has_died(name) is True


def test_another_process_under_the_same_number_is_not_taken_for_it() -> None:
    home, number, _ = process.identity().rsplit("/", 2)
    assert process.has_died(f"{home}/{number}/1") is True


def test_nothing_is_known_of_processes_elsewhere() -> None:
    assert [process.has_died(name) for name in ("", "other/1/2/3", "worker", "host:12")] == [False] * 4
