#!/usr/bin/env python
"""Django's command-line utility for administrative tasks."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "higherself.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # What a person wrote into the environment: one sentence says more than where Python noticed it.
        print(f"The configuration cannot be used: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
