"""What the API reference says of every operation."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import Serializer

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="If you send it again with the same body, you get the first answer and nothing is written twice. "
    "At most 200 characters.",
)


class Schema(AutoSchema):
    """Every POST takes an Idempotency-Key (`ledger.api_once`)."""

    def get_override_parameters(self) -> list[OpenApiParameter | Serializer[Any] | type[Serializer[Any]]]:
        """The parameters of the operation, and the key."""
        given = super().get_override_parameters()
        return [*given, IDEMPOTENCY_KEY] if self.method == "POST" else given
