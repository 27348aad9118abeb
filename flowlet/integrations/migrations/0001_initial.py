import django.db.models.deletion
from django.db import migrations, models

import flowlet.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("identity", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="VendorCursor",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="BankLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="blk")),
                ("token_digest", models.BinaryField(unique=True)),
                ("vendor_reference", models.CharField(blank=True, default="", max_length=255)),
                ("access_token", flowlet.core.fields.EncryptedTextField(blank=True, null=True)),
                ("institution", models.CharField(blank=True, default="", max_length=120)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Being linked"),
                            ("ACTIVE", "Linked"),
                            ("BROKEN", "Log-in needed"),
                            ("REMOVING", "Being unlinked"),
                            ("REMOVED", "Unlinked"),
                            ("FAILED", "Failed"),
                        ],
                        default="PENDING",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=80)),
                ("created_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_links",
                        to="identity.customer",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_links",
                        to="identity.partner",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LinkedAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="lac")),
                ("vendor_reference", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=120)),
                ("mask", models.CharField(blank=True, default="", max_length=8)),
                ("subtype", models.CharField(blank=True, default="", max_length=30)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                (
                    "owner_match",
                    models.CharField(
                        choices=[
                            ("MATCH", "Name matches"),
                            ("CLOSE_MATCH", "Name is close"),
                            ("NO_MATCH", "Name differs"),
                            ("NOT_POSSIBLE", "Not checked"),
                        ],
                        default="NOT_POSSIBLE",
                        max_length=12,
                    ),
                ),
                ("owner_score", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="integrations.banklink",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="VendorCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "vendor",
                    models.CharField(
                        choices=[
                            ("stripe", "Stripe"),
                            ("plaid", "Plaid"),
                            ("twilio", "Twilio"),
                            ("openai", "OpenAI"),
                        ],
                        max_length=10,
                    ),
                ),
                ("operation", models.CharField(max_length=60)),
                ("our_reference", models.CharField(blank=True, default="", max_length=80)),
                ("vendor_reference", models.CharField(blank=True, default="", max_length=255)),
                ("vendor_request_id", models.CharField(blank=True, default="", max_length=255)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("ACCEPTED", "ACCEPTED"),
                            ("DONE", "DONE"),
                            ("REFUSED", "REFUSED"),
                            ("NOT_SENT", "NOT_SENT"),
                            ("UNKNOWN", "UNKNOWN"),
                        ],
                        max_length=8,
                    ),
                ),
                ("code", models.CharField(blank=True, default="", max_length=80)),
                ("alarm", models.BooleanField(default=False)),
                ("is_lookup", models.BooleanField(default=False)),
                ("elapsed_ms", models.PositiveIntegerField()),
                ("called_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["vendor", "-called_at", "-id"], name="vendor_call_recent"),
                    models.Index(
                        condition=models.Q(("our_reference", ""), _negated=True),
                        fields=["our_reference"],
                        name="vendor_call_by_reference",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ["ACCEPTED", "DONE", "REFUSED", "NOT_SENT", "UNKNOWN"])
                        ),
                        name="vendor_call_outcome_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VendorEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="vev")),
                (
                    "vendor",
                    models.CharField(
                        choices=[
                            ("stripe", "Stripe"),
                            ("plaid", "Plaid"),
                            ("twilio", "Twilio"),
                            ("openai", "OpenAI"),
                        ],
                        max_length=10,
                    ),
                ),
                ("event_id", models.CharField(max_length=255)),
                ("type", models.CharField(max_length=120)),
                ("object_reference", models.CharField(blank=True, default="", max_length=255)),
                ("payload", flowlet.core.fields.EncryptedTextField()),
                ("occurred_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("RECEIVED", "Waiting"),
                            ("PROCESSED", "Processed"),
                            ("UNKNOWN_TYPE", "Kept, type not used"),
                            ("UNMATCHED", "Kept, object not known"),
                            ("FAILED", "Needs a person"),
                        ],
                        default="RECEIVED",
                        max_length=12,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.CharField(blank=True, default="", max_length=80)),
            ],
            options={
                "permissions": [("retry_vendorevent", "Can have a vendor's event processed again")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_try_at__isnull", False)),
                        fields=["next_try_at", "id"],
                        name="vendor_event_due",
                    ),
                    models.Index(fields=["vendor", "-received_at", "-id"], name="vendor_event_recent"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("vendor", "event_id"), name="vendor_event_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "PROCESSED"), _negated=True),
                            ("processed_at__isnull", False),
                            _connector="OR",
                        ),
                        name="vendor_event_processed_has_time",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="banklink",
            index=models.Index(fields=["partner", "-created_at", "-id"], name="bank_link_by_partner"),
        ),
        migrations.AddIndex(
            model_name="banklink",
            index=models.Index(fields=["customer", "-created_at", "-id"], name="bank_link_by_customer"),
        ),
        migrations.AddIndex(
            model_name="banklink",
            index=models.Index(fields=["-created_at", "-id"], name="bank_link_newest"),
        ),
        migrations.AddIndex(
            model_name="banklink",
            index=models.Index(fields=["vendor_reference"], name="bank_link_by_reference"),
        ),
        migrations.AddConstraint(
            model_name="banklink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("ACTIVE", "BROKEN", "REMOVING")), _negated=True),
                    ("access_token__isnull", False),
                    _connector="OR",
                ),
                name="bank_link_usable_has_token",
            ),
        ),
        migrations.AddConstraint(
            model_name="banklink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "REMOVED"), _negated=True),
                    models.Q(("access_token__isnull", True), ("removed_at__isnull", False)),
                    _connector="OR",
                ),
                name="bank_link_removed_has_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="linkedaccount",
            constraint=models.UniqueConstraint(
                fields=("link", "vendor_reference"), name="linked_account_once"
            ),
        ),
    ]
