"""Writes a first ``.env``: fresh secrets, so that nothing runs on a value that others know.

Runs before Django can start (Django needs SECRET_KEY), so it uses the standard library alone.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ("SECRET_KEY", "TYPEFORM_WEBHOOK_SECRET", "WEBHOOK_SECRET")


def write_env_file(target: Path, example: Path) -> bool:
    """Copies the example with fresh secrets filled in; an existing file is left alone. True when it wrote one."""
    if target.exists() or os.environ.get("SECRET_KEY"):
        return False
    lines = []
    for line in example.read_text(encoding="utf-8").splitlines():
        name = line.split("=", 1)[0].lstrip("# ")
        lines.append(f"{name}={secrets.token_urlsafe(48)}" if name in GENERATED and "=" in line else line)
    target.touch(mode=0o600)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return True


if __name__ == "__main__":
    write_env_file(ROOT / ".env", ROOT / ".env.example")
