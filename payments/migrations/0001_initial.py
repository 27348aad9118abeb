import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import flowlet.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("identity", "0001_initial"),
        ("ledger", "0005_holds"),
        ("wallets", "0002_guards"),
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
                        choices=[("P2P", "Between customers"), ("TOP_UP", "Top-up")],
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
                            ("PROCESSING", "Processing"),
                            ("OUTCOME_UNKNOWN", "Outcome unknown"),
                            ("COMPLETED", "Completed"),
                            ("REFUSED", "Refused"),
                            ("FAILED", "Failed"),
                            ("RETURNED", "Returned"),
                        ],
                        max_length=15,
                    ),
                ),
                ("refusal_code", models.CharField(blank=True, default="", max_length=60)),
                ("refusal_detail", models.CharField(blank=True, default="", max_length=200)),
                ("description", models.CharField(blank=True, default="", max_length=140)),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                ("refunding_minor", models.BigIntegerField(default=0)),
                ("parked", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
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
            name="PaymentReturn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rail", models.CharField(max_length=30)),
                ("vendor_reference", models.CharField(max_length=255)),
                ("reason_code", models.CharField(max_length=20)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("returned_at", models.DateTimeField()),
                (
                    "payment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returned",
                        to="payments.payment",
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_return",
                        to="ledger.ledgertransaction",
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
                        ("status__in", ("COMPLETED", "RETURNED")),
                        ("transaction__isnull", False),
                    ),
                    models.Q(
                        ("completed_at__isnull", True),
                        ("status__in", ("REFUSED", "FAILED")),
                        ("transaction__isnull", True),
                        models.Q(("refusal_code", ""), _negated=True),
                    ),
                    models.Q(
                        ("completed_at__isnull", True),
                        ("refusal_code", ""),
                        ("status__in", ("PROCESSING", "OUTCOME_UNKNOWN")),
                        ("transaction__isnull", True),
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
                        ("kind", "P2P"),
                        ("payer_wallet__isnull", False),
                        ("status__in", ("COMPLETED", "REFUSED")),
                    ),
                    models.Q(("kind", "TOP_UP"), ("payer_wallet__isnull", True)),
                    _connector="OR",
                ),
                name="payment_payer_by_kind",
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
        migrations.AddConstraint(
            model_name="paymentreturn",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0), ("amount_minor__lte", 1000000000000000)),
                name="return_amount_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentreturn",
            constraint=models.UniqueConstraint(fields=("rail", "vendor_reference"), name="return_once"),
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
