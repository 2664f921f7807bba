"""The entry point of the web server."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation

from higherself.core.slowbodies import Watch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "higherself.settings")

application = Watch(get_wsgi_application(), settings.WEB_THREADS)
# The table of addresses and the frame of the pages are made now, and not while each process's first visitor waits.
for language, _name in settings.LANGUAGES:
    with translation.override(language):
        reverse("admin:index")
get_template("admin/index.html")
# What is loaded stays: the garbage collector's pauses are for what requests leave behind (see core/apps.py).
gc.freeze()
