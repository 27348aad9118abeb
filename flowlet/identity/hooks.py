"""What higher rooms do when identity changes, in the same transaction. Identity lies below them and calls these."""

from collections.abc import Callable
from datetime import datetime

from flowlet.core.registry import Registry
from flowlet.identity.models import Customer, Restriction

# Called in the order of their names with the new customer; an error undoes the creation.
CUSTOMER_CREATED: Registry[Callable[[Customer, datetime], None]] = Registry("identity.customer_created")
# Called after a restriction was placed or lifted.
RESTRICTION_CHANGED: Registry[Callable[[Restriction, datetime], None]] = Registry(
    "identity.restriction_changed"
)
