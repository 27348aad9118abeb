import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import flowlet.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("identity", "0001_initial"),
        ("ledger", "0012_partitions"),
        ("wallets", "0003_exchange"),
    ]

    operations = [
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="pay")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("P2P", "Person to person"),
                            ("C2B", "Person to business"),
                            ("B2C", "Business to person"),
                            ("B2B", "Business to business"),
                            ("TOP_UP", "Top-up"),
                            ("PAYOUT", "Payout to a bank account"),
                        ],
                        default="P2P",
                        max_length=8,
                    ),
                ),
                ("rail", models.CharField(default="internal", max_length=30)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("REQUIRES_ACTION", "Waits for a code"),
                            ("HELD", "Held for review"),
                            ("PROCESSING", "Processing"),
                            ("OUTCOME_UNKNOWN", "Outcome unknown"),
                            ("COMPLETED", "Completed"),
                            ("REFUSED", "Refused"),
                            ("FAILED", "Failed"),
                            ("CANCELED", "Canceled"),
                            ("RETURNED", "Returned"),
                        ],
                        max_length=15,
                    ),
                ),
                ("refusal_code", models.CharField(blank=True, default="", max_length=60)),
                ("refusal_detail", models.CharField(blank=True, default="", max_length=200)),
                ("description", models.CharField(blank=True, default="", max_length=140)),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True)),
                ("fraud_decision", models.CharField(blank=True, default="", max_length=40)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                ("refunding_minor", models.BigIntegerField(default=0)),
                ("parked", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "bank_account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="wallets.bankaccount",
                    ),
                ),
                (
                    "hold",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment",
                        to="ledger.hold",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="identity.partner",
                    ),
                ),
                (
                    "payee_wallet",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments_in",
                        to="wallets.wallet",
                    ),
                ),
                (
                    "payer_wallet",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments_out",
                        to="wallets.wallet",
                    ),
                ),
                (
                    "returned",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_returned",
                        to="ledger.ledgertransaction",
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment",
                        to="ledger.ledgertransaction",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("decide_payment", "Can release or refuse held payments"),
                    ("check_payment", "Can have a rail asked about a payment"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("our_reference", models.CharField(max_length=80, unique=True)),
                ("vendor_reference", models.CharField(blank=True, default="", max_length=255)),
                ("vendor_code", models.CharField(blank=True, default="", max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PLANNED", "Planned"),
                            ("SENT", "Sent"),
                            ("ACCEPTED", "Accepted"),
                            ("DONE", "Done"),
                            ("REFUSED", "Refused"),
                            ("UNKNOWN", "Unknown"),
                        ],
                        default="PLANNED",
                        max_length=8,
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("next_check_at", models.DateTimeField(blank=True, null=True)),
                ("checks", models.PositiveSmallIntegerField(default=0)),
                ("number", models.PositiveSmallIntegerField(default=1)),
                ("payment_method", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField()),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="payments.payment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("our_reference", models.CharField(max_length=80, unique=True)),
                ("vendor_reference", models.CharField(blank=True, default="", max_length=255)),
                ("vendor_code", models.CharField(blank=True, default="", max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PLANNED", "Planned"),
                            ("SENT", "Sent"),
                            ("ACCEPTED", "Accepted"),
                            ("DONE", "Done"),
                            ("REFUSED", "Refused"),
                            ("UNKNOWN", "Unknown"),
                        ],
                        default="PLANNED",
                        max_length=8,
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("next_check_at", models.DateTimeField(blank=True, null=True)),
                ("checks", models.PositiveSmallIntegerField(default=0)),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="rfd")),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("PENDING", "Pending"), ("SUCCEEDED", "Succeeded"), ("FAILED", "Failed")],
                        default="PENDING",
                        max_length=9,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=140)),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="identity.partner",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="payments.payment",
                    ),
                ),
                (
                    "returned",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_refund_returned",
                        to="ledger.ledgertransaction",
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_refund",
                        to="ledger.ledgertransaction",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["-created_at", "-id"], name="payment_newest"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["partner", "-created_at", "-id"], name="payment_by_partner"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["payer_wallet", "-created_at", "-id"], name="payment_by_payer"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["payee_wallet", "-created_at", "-id"], name="payment_by_payee"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["amount_minor", "-id"], name="payment_by_amount"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("status", "OUTCOME_UNKNOWN")),
                fields=["-created_at"],
                name="payment_unknown",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("status__in", ("HELD", "REQUIRES_ACTION"))),
                fields=["created_at", "id"],
                name="payment_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0), ("amount_minor__lte", 1000000000000000)),
                name="payment_amount_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("payer_wallet", models.F("payee_wallet")), _negated=True),
                name="payment_two_wallets",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("completed_at__isnull", False),
                        ("refusal_code", ""),
                        ("returned__isnull", True),
                        ("status", "COMPLETED"),
                        ("transaction__isnull", False),
                    ),
                    models.Q(
                        ("completed_at__isnull", False),
                        ("status", "RETURNED"),
                        ("transaction__isnull", False),
                        ("returned__isnull", False),
                        models.Q(("refusal_code", ""), _negated=True),
                    ),
                    models.Q(
                        ("completed_at__isnull", True),
                        ("returned__isnull", True),
                        ("transaction__isnull", True),
                        models.Q(
                            models.Q(
                                ("status__in", ("REFUSED", "FAILED", "CANCELED")),
                                models.Q(("refusal_code", ""), _negated=True),
                            ),
                            models.Q(
                                ("refusal_code", ""),
                                ("status__in", ("PROCESSING", "OUTCOME_UNKNOWN", "HELD", "REQUIRES_ACTION")),
                            ),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="payment_ended_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind__in", ("P2P", "C2B", "B2C", "B2B")),
                        ("payee_wallet__isnull", False),
                        ("payer_wallet__isnull", False),
                        ("bank_account__isnull", True),
                        models.Q(("status__in", ("OUTCOME_UNKNOWN", "RETURNED")), _negated=True),
                    ),
                    models.Q(
                        ("kind", "TOP_UP"), ("payee_wallet__isnull", False), ("payer_wallet__isnull", True)
                    ),
                    models.Q(
                        ("kind", "PAYOUT"),
                        ("payee_wallet__isnull", True),
                        ("payer_wallet__isnull", False),
                        ("bank_account__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="payment_sides_by_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "HELD"), _negated=True), ("hold__isnull", False), _connector="OR"
                ),
                name="payment_held_has_hold",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refunded_minor__gte", 0),
                    ("refunding_minor__gte", 0),
                    (
                        "amount_minor__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("refunded_minor"), "+", models.F("refunding_minor")
                        ),
                    ),
                    models.Q(
                        models.Q(("refunded_minor", 0), ("refunding_minor", 0)),
                        models.Q(("kind", "TOP_UP"), ("status", "COMPLETED")),
                        _connector="OR",
                    ),
                ),
                name="payment_refunds_fit",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("partner", "idempotency_key"), name="payment_key_once"
            ),
        ),
        migrations.AddIndex(
            model_name="paymentattempt",
            index=models.Index(
                condition=models.Q(("next_check_at__isnull", False)),
                fields=["next_check_at", "id"],
                name="attempt_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentattempt",
            constraint=models.UniqueConstraint(fields=("payment", "number"), name="attempt_number_once"),
        ),
        migrations.AddConstraint(
            model_name="paymentattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("DONE", "REFUSED")), _negated=True),
                fields=("payment",),
                name="attempt_one_open",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("next_check_at__isnull", False)),
                fields=["next_check_at", "id"],
                name="refund_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0), ("amount_minor__lte", 1000000000000000)),
                name="refund_amount_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("returned__isnull", False), ("status", "FAILED")),
                    models.Q(("returned__isnull", True), ("status__in", ("PENDING", "SUCCEEDED"))),
                    _connector="OR",
                ),
                name="refund_failed_is_returned",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(fields=("partner", "idempotency_key"), name="refund_key_once"),
        ),
    ]
