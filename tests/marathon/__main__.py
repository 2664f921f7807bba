"""The command: makes an environment of its own, and starts the run in it."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.environment import ROOT, database, variables
from tests.run import POSTGRES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.marathon")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--version", default="", help="of Notion's API")
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marathon-")))
        server = POSTGRES.rpartition("/")[0]
        address = stack.enter_context(database("postgres" if options.postgres else "sqlite", directory, server))
        environment = variables(directory, address)
        environment |= {
            "NOTION_BASE_URL": f"http://127.0.0.1:{environment['SANDBOX_PORT']}",
            "NOTION_API_TOKEN": "ntn_local_sandbox_token",
            "NOTION_REQUESTS_PER_MINUTE": "100000",
            "LOG_LEVEL": "ERROR",
        }
        if options.version:
            environment["NOTION_VERSION"] = options.version
        command = [sys.executable, "-m", "tests.marathon.course", str(options.seed), str(options.steps)]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
