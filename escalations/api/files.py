"""Files of a case in the API: list, attach, download."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from escalations.cases import thread
from escalations.models import CaseFile, Escalation, Event
from escalations.views.files import file_answer
from ledger import idempotency
from ledger.api_once import body_of, kept, key_of, scope_of
from ledger.errors import Invalid
from ledger.files.uploads import check
from ledger.format import number
from ledger.json_types import Json

LONGEST_TEXT = 20_000


class FileSerializer(serializers.ModelSerializer[CaseFile]):
    """A file of a case. `why_not` says why it cannot be downloaded now; empty if it can."""

    sha256 = serializers.CharField(source="file.sha256", read_only=True, default=None)
    content_type = serializers.CharField(source="file.content_type", read_only=True, default=None)
    by = serializers.CharField(source="by.email", read_only=True, default=None)
    why_not = serializers.CharField(read_only=True)

    class Meta:
        model = CaseFile
        fields: ClassVar = [
            "id",
            "name",
            "size",
            "sha256",
            "content_type",
            "place",
            "audience",
            "by",
            "at",
            "why_not",
        ]
        read_only_fields = fields


class AttachSerializer(serializers.Serializer[Any]):
    """An internal entry with files, as multipart/form-data."""

    text = serializers.CharField(max_length=LONGEST_TEXT)
    files: serializers.ListField = serializers.ListField(child=serializers.FileField(), min_length=1)


class CaseFiles(viewsets.GenericViewSet[Escalation]):
    """The part of the resource of cases that is about files."""

    @extend_schema(methods=["get"], responses=FileSerializer(many=True))
    @extend_schema(
        methods=["post"],
        request={"multipart/form-data": AttachSerializer},
        responses={201: FileSerializer(many=True)},
    )
    @action(
        detail=True,
        methods=["get", "post"],
        pagination_class=None,
        filterset_class=None,
        parser_classes=[MultiPartParser],
    )
    def files(self, request: Request, key: str) -> Response:
        """All files of a case, oldest first. POST: an internal entry with files, up to 20 MB a file and 50 MB together."""
        case = self.get_object()
        if request.method == "GET":
            return Response(FileSerializer(case.files.to_show(), many=True).data)
        received = request.FILES.getlist("files")
        if not received:
            raise Invalid("Attach a file as a part named files.", field="files")
        text = request.POST.get("text", "").replace("\x00", "")
        if len(text) > LONGEST_TEXT:
            raise Invalid(f"The text is longer than {number(LONGEST_TEXT, 0)} characters.", field="text")
        scope, key_sent, body = scope_of(request), key_of(request), body_of(request)
        # Scanned before the transaction of the key, in which all others wait on SQLite.
        known = idempotency.is_answered(scope=scope, key=key_sent, body=body)
        uploads = [] if known else check(received)

        def do() -> tuple[int, Json]:
            event = thread.post(case_id=case.pk, by=_user(request), text=text, files=uploads)
            return 201, kept(FileSerializer(_files_of(event), many=True).data)

        status, answer = idempotency.once(scope=scope, key=key_sent, body=body, do=do)
        return Response(answer, status=status)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], url_path=r"files/(?P<number>\d{1,12})/content")
    def content(self, request: Request, key: str, number: str) -> HttpResponseBase:
        """The content of a file, as a download."""
        rows = self.get_object().files.select_related("file", "case")
        return file_answer(get_object_or_404(rows, pk=int(number)), _user(request))


def _user(request: Request) -> User:
    return cast("User", request.user)


def _files_of(event: Event) -> QuerySet[CaseFile]:
    return CaseFile.objects.filter(event=event).to_show()
