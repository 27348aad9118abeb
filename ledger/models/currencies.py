"""Currencies: how many digits an amount's minor unit stands for, frozen for ever."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Currency(models.Model):
    """One ISO 4217 currency. The database refuses to change or delete one: every stored amount hangs on it."""

    code = models.CharField(max_length=3, unique=True)
    exponent = models.SmallIntegerField()

    class Meta:
        verbose_name_plural = "currencies"
        constraints: ClassVar = [
            models.CheckConstraint(name="currency_code_upper", condition=Q(code__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="currency_exponent_range", condition=Q(exponent__range=(0, 4))),
        ]

    def __str__(self) -> str:
        return self.code
