"""Every stand-in: the `Service` of each module of this folder."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from tests.standins.server import Service


def _found() -> tuple[type[Service], ...]:
    names = sorted(item.name for item in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = [importlib.import_module(f"tests.standins.{name}") for name in names]
    return tuple(
        item
        for module in modules
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Service) and item.__module__ == module.__name__
        if item is not Service
    )


SERVICES = _found()
