"""The Celery application: tasks are found in each room's `tasks` module."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowlet.settings.local")

app = Celery("flowlet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
