"""Fills the registries of this room: one line per vendor."""

from flowlet.integrations.openai import webhooks as openai
from flowlet.integrations.plaid import handlers as plaid_handlers
from flowlet.integrations.plaid import webhooks as plaid
from flowlet.integrations.stripe import webhooks as stripe
from flowlet.integrations.twilio import handlers as twilio_handlers
from flowlet.integrations.twilio import webhooks as twilio

__all__ = ["openai", "plaid", "plaid_handlers", "stripe", "twilio", "twilio_handlers"]
