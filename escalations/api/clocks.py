"""Clocks, hand-offs and deadlines in the API."""

from typing import Any, ClassVar

from rest_framework import serializers

from escalations.models import Clock, HandOff
from ledger.moments import ApiMoment


class ClockSerializer(serializers.ModelSerializer[Clock]):
    """A running or ended clock, with the reasons for its due time. Each kind and each commitment has its own row."""

    label: Any = serializers.CharField(read_only=True)
    calendar = serializers.CharField(source="calendar.slug", read_only=True, default=None)

    class Meta:
        model = Clock
        fields: ClassVar = [
            "id",
            "kind",
            "label",
            "about",
            "topic",
            "level",
            "state",
            "target_text",
            "target_seconds",
            "calendar",
            "started_at",
            "paused_at",
            "pause_reason",
            "held",
            "due_at",
            "warn_percent",
            "also_warn_at",
            "warned_percent",
            "warn_at",
            "warned_at",
            "on_breach",
            "breached_at",
            "repeat_minutes",
            "repeat_times",
            "repeats",
            "stopped_at",
            "why",
        ]
        read_only_fields = fields


class HandOffSerializer(serializers.ModelSerializer[HandOff]):
    """A hand-off: the person, the duty and the answer."""

    to = serializers.CharField(source="to_user.email", read_only=True)
    sender = serializers.CharField(source="from_user.email", read_only=True, default="")

    class Meta:
        model = HandOff
        fields: ClassVar = [
            "number",
            "duty",
            "to",
            "sender",
            "level",
            "state",
            "why",
            "sent_at",
            "due_at",
            "answered_at",
            "reason",
        ]
        read_only_fields = fields


class DeadlineSerializer(serializers.Serializer[None]):
    """A new customer deadline, or null for none, with who changed it and why."""

    deadline = ApiMoment(allow_null=True)
    reason = serializers.CharField(max_length=300)
    version = serializers.IntegerField(required=False, help_text="The case's version as you read it.")


class HoldSerializer(serializers.Serializer[None]):
    """The reason for pausing a clock."""

    reason = serializers.CharField(max_length=150)
