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
            name="Chat",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="cht")),
                ("created_at", models.DateTimeField()),
                ("latest_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chats",
                        to="identity.customer",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chats",
                        to="identity.partner",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ChatMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", flowlet.core.fields.PublicIdField(prefix="chm")),
                (
                    "role",
                    models.CharField(
                        choices=[("CUSTOMER", "Customer"), ("ASSISTANT", "Assistant")], max_length=9
                    ),
                ),
                ("text", flowlet.core.fields.EncryptedTextField()),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        choices=[("MODEL", "Model"), ("TEMPLATE", "Template")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=60)),
                ("model", models.CharField(blank=True, default="", max_length=60)),
                ("prompt_version", models.CharField(blank=True, default="", max_length=20)),
                ("tokens_in", models.PositiveIntegerField(default=0)),
                ("tokens_out", models.PositiveIntegerField(default=0)),
                ("sent_digest", models.CharField(blank=True, default="", max_length=64)),
                ("hand_over", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "chat",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="assistant.chat",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="identity.partner"
                    ),
                ),
                (
                    "question",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answer",
                        to="assistant.chatmessage",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(fields=["partner", "-created_at", "-id"], name="chat_by_partner"),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(fields=["customer", "-created_at", "-id"], name="chat_by_customer"),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(fields=["-latest_at", "-id"], name="chat_latest"),
        ),
        migrations.AddIndex(
            model_name="chatmessage",
            index=models.Index(fields=["chat", "id"], name="chat_message_by_chat"),
        ),
        migrations.AddIndex(
            model_name="chatmessage",
            index=models.Index(fields=["partner", "created_at"], name="chat_message_by_day"),
        ),
        migrations.AddConstraint(
            model_name="chatmessage",
            constraint=models.UniqueConstraint(
                fields=("chat", "idempotency_key"), name="chat_message_key_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="chatmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("question__isnull", False),
                        ("role", "ASSISTANT"),
                        models.Q(("source", ""), _negated=True),
                    ),
                    models.Q(("question__isnull", True), ("role", "CUSTOMER"), ("source", "")),
                    _connector="OR",
                ),
                name="chat_answer_has_question",
            ),
        ),
    ]
