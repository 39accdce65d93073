"""WSGI entry point for gunicorn, which loads it once and then forks its workers."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from config.warm import warm_up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
application = get_wsgi_application()
warm_up()
# The workers share what is loaded; collecting garbage would touch, and so copy, all of it.
gc.collect()
gc.freeze()
