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
            name="PartnerSetting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payment_messages", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField()),
                (
                    "partner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="message_setting",
                        to="identity.partner",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Template",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=60)),
                ("language", models.CharField(max_length=5)),
                ("channel", models.CharField(choices=[("SMS", "Text message")], max_length=5)),
                ("version", models.PositiveIntegerField()),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code", "language", "channel", "version"), name="template_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gt", 0)), name="template_version_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Challenge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="chl")),
                ("purpose", models.CharField(max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PLANNED", "Planned"),
                            ("STARTING", "Being sent"),
                            ("SENT", "Sent"),
                            ("APPROVED", "Approved"),
                            ("FAILED", "Failed"),
                        ],
                        default="STARTING",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=60)),
                ("vendor_reference", models.CharField(blank=True, default="", max_length=255)),
                ("language", models.CharField(default="en", max_length=5)),
                ("checks", models.PositiveSmallIntegerField(default=0)),
                ("next_step_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="challenges",
                        to="identity.customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer", "-created_at", "-id"], name="challenge_by_customer"),
                    models.Index(
                        condition=models.Q(("next_step_at__isnull", False)),
                        fields=["next_step_at", "id"],
                        name="challenge_due",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", False), ("status", "APPROVED")),
                            models.Q(
                                models.Q(("status", "APPROVED"), _negated=True), ("approved_at__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="challenge_approved_has_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeThreshold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="code_thresholds",
                        to="identity.partner",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "currency"), name="code_threshold_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gte", 0)), name="code_threshold_not_below_zero"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="msg")),
                ("cause", models.CharField(max_length=100)),
                ("channel", models.CharField(choices=[("SMS", "Text message")], max_length=5)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SECURITY", "Security"),
                            ("SERVICE", "Service"),
                            ("MARKETING", "Marketing"),
                        ],
                        max_length=9,
                    ),
                ),
                ("template", models.CharField(max_length=60)),
                ("template_version", models.PositiveIntegerField()),
                ("language", models.CharField(max_length=5)),
                ("to", flowlet.core.fields.EncryptedTextField()),
                ("text", flowlet.core.fields.EncryptedTextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("QUEUED", "Queued"),
                            ("SENDING", "Being sent"),
                            ("UNKNOWN", "Outcome unknown"),
                            ("SENT", "Sent"),
                            ("DELIVERED", "Delivered"),
                            ("UNDELIVERED", "Not delivered"),
                            ("FAILED", "Failed"),
                            ("SUPPRESSED", "Not sent on purpose"),
                        ],
                        max_length=11,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=60)),
                ("vendor_reference", models.CharField(blank=True, default="", max_length=255)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("queued_at", models.DateTimeField()),
                ("sending_at", models.DateTimeField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("next_step_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="identity.customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_step_at__isnull", False)),
                        fields=["next_step_at", "id"],
                        name="message_due",
                    ),
                    models.Index(fields=["customer", "-queued_at", "-id"], name="message_by_customer"),
                    models.Index(fields=["-queued_at", "-id"], name="message_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cause", "customer", "channel"), name="message_once_for_each_cause"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Preference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(choices=[("SMS", "Text message")], max_length=5)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SECURITY", "Security"),
                            ("SERVICE", "Service"),
                            ("MARKETING", "Marketing"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("PERSON", "The person"), ("CARRIER", "The carrier (STOP)")], max_length=7
                    ),
                ),
                ("opted_out_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="message_preferences",
                        to="identity.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "channel", "kind", "source"), name="preference_said_once"
                    )
                ],
            },
        ),
    ]
