"""Django looks for models here; import each from the module that holds it."""

from cards.models import authorizations, issuing, vault

__all__ = ["authorizations", "issuing", "vault"]
