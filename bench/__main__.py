from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.environment import ROOT, database, machine, postgres_problem, variables
from bench.options import Options, parse
from bench.results import Result, show


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    skipped = {}
    if "postgres" in options.backends and (problem := postgres_problem(options.postgres)):
        skipped["postgres"] = problem
        say(f"PostgreSQL is left out: {problem}")
    head = {"started_at": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine()}
    results = [
        one(options, scenario, backend)
        for scenario in options.scenarios
        for backend in options.backends
        if backend not in skipped
    ]
    show(results)
    json.dump(head | {"options": options.as_dict(), "skipped": skipped, "results": results}, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 1 if any(result["error"] for result in results) else 0


def one(options: Options, scenario: str, backend: str) -> dict[str, Any]:
    """Runs one scenario on a new database. Its failure is part of the report, and the others go on."""
    say(f"{scenario} on {backend} ...")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="higherself-bench-")))
        address = stack.enter_context(database(backend, directory, options.postgres))
        command = [sys.executable, "-m", "bench.inside", scenario, backend]
        done = subprocess.run(
            command, cwd=ROOT, env=variables(directory, address), input=json.dumps(options.as_dict()),
            stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            say(logs(directory))
            return Result(scenario, backend, error=f"ended with status {done.returncode}; see above").as_dict()
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def logs(directory: Path) -> str:
    """The end of what each process said."""
    parts = [f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in directory.glob("*.log")]
    return "\n".join(parts)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
