"""The WSGI door that gunicorn opens."""

import os

from django.core.wsgi import get_wsgi_application

import flowlet.celery  # noqa: F401 - makes ours the current application: a button may send a task

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowlet.settings.local")

application = get_wsgi_application()
