"""The entry point of the web server."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "higherself.settings")

application = get_wsgi_application()
# What is loaded stays: the garbage collector's pauses are for what requests leave behind (see core/apps.py).
gc.freeze()
