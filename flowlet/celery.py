"""The Celery application: tasks are found in each room's `tasks` module."""

import os

from celery import Celery
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowlet.settings.local")

app = Celery("flowlet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A task logs the id of the request that sent it.
app.steps["worker"].add(DjangoStructLogInitStep)
