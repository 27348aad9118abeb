"""Carriers' delivery reports, handed over by whoever takes them in."""

from flowlet.core.messages import DELIVERY_RECEIVERS
from flowlet.notifications.operations import receive_report

DELIVERY_RECEIVERS.register("notifications")(receive_report)
