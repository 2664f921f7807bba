"""Finds a browser, installs one where that is possible, and says what to do where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADVICE = "No browser was found. Install one (Debian: apt-get install -y chromium), or name its program in CHROMIUM."


def find() -> str | None:
    """The browser's program: the one that CHROMIUM names, else the first of the usual names."""
    wanted = os.environ.get("CHROMIUM", "")
    if wanted:
        return shutil.which(wanted)
    return next(filter(None, map(shutil.which, NAMES)), None)


def install() -> bool:
    """Installs Debian's chromium; only root can."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print("Installing Debian's chromium (once) ...", file=sys.stderr)  # noqa: T201
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        if subprocess.run(["apt-get", *command], env=environment, stdout=sys.stderr).returncode:
            return False
    return True
