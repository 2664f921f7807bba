"""The entry point of the web server."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from higherself.core.slowbodies import Watch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "higherself.settings")

application = Watch(get_wsgi_application(), settings.WEB_THREADS)
# What is loaded stays: the garbage collector's pauses are for what requests leave behind (see core/apps.py).
gc.freeze()
