"""``make e2e``: the console driven by a real browser."""

from __future__ import annotations

import os
import sys

import pytest

from tests.e2e import browser


def main(arguments: list[str]) -> int:
    if browser.find() is None and not (browser.install() and browser.find()):
        print(browser.ADVICE, file=sys.stderr)  # noqa: T201
        return 2
    os.environ["E2E_REQUIRED"] = "1"
    return int(pytest.main(["-m", "e2e", *(arguments or ["tests/e2e"])]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
