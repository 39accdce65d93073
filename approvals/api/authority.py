"""The authority matrix in the API: who approves this, and the whole matrix to read. It is changed in the admin only."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import Account
from accounts.signed_in import Caller
from approvals.api.serializers import PersonField
from approvals.matrix.preview import preview
from approvals.matrix.table import words
from approvals.matrix.totals import Ask, version_at
from approvals.models import (
    AuthorityLimit,
    AuthorityVersion,
    ChainRule,
    Committee,
    ConcessionType,
    ExceptionBand,
    QuarterCap,
)
from ledger.errors import NotThere
from ledger.now import now
from ledger.parameters import KnownParameters


class WhoQuerySerializer(serializers.Serializer):
    """The ask and its account."""

    concession = serializers.CharField(max_length=40)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, required=False, allow_null=True, default=None)
    currency = serializers.CharField(max_length=3, required=False, default="USD")
    account = serializers.IntegerField(required=False, allow_null=True, default=None)
    tier = serializers.CharField(max_length=20, required=False, default="")
    renewal = serializers.CharField(max_length=60, required=False, default="")
    beneficiary = PersonField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The beneficiary's e-mail address. The beneficiary does not decide.",
    )


class GroupSerializer(serializers.Serializer):
    """People who decide or are consulted together."""

    name = serializers.CharField()
    words = serializers.CharField(help_text="How many must agree.")
    consulted = serializers.BooleanField(help_text="They comment and do not block the decision.")
    people = serializers.ListField(child=serializers.CharField())


class StageSerializer(serializers.Serializer):
    """Stages are decided one after the other."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    groups = GroupSerializer(many=True)


class WhoSerializer(serializers.Serializer):
    """Who may approve it, and why; who else takes part; what was added up, for those who may see all of it. Null if
    only a band may grant it."""

    role = serializers.CharField(source="answer.role.slug", default=None)
    role_name = serializers.CharField(source="answer.role.name", default=None)
    level = serializers.IntegerField(source="answer.level", default=None)
    person = serializers.EmailField(source="answer.person.email", default=None)
    limit = serializers.CharField(source="answer.limit_text", default=None)
    sentence = serializers.CharField(source="answer.sentence", default=None)
    rule = serializers.JSONField(
        source="answer.rule", help_text="The limit that applied and all limits considered.", default=None
    )
    authority_version = serializers.IntegerField(source="answer.version.number", default=None)
    needs_function = serializers.CharField(source="answer.needs_function", default=None)
    running_total = serializers.CharField(
        source="answer.running", help_text="The total with earlier grants.", default=None
    )
    cap = serializers.CharField(
        source="answer.cap", help_text="How much of its quarterly cap the role has used.", default=None
    )
    within_band = serializers.BooleanField()
    band = serializers.CharField(help_text="The pre-approved range that covers it; it is then granted by rule.")
    stages = StageSerializer(many=True)


class ConcessionSerializer(serializers.ModelSerializer):
    """A concession."""

    class Meta:
        model = ConcessionType
        fields = ["slug", "name", "unit", "reply_up_to", "link_up_to"]
        read_only_fields = fields


class OfRole(serializers.ModelSerializer):
    """A row with the slugs of its role and concession."""

    role = serializers.CharField(source="role.slug", read_only=True)
    concession = serializers.CharField(source="concession.slug", default=None, read_only=True)


class LimitSerializer(OfRole):
    """How much a role may grant, and for which asks."""

    role_name = serializers.CharField(source="role.name", read_only=True)
    level = serializers.IntegerField(source="role.rank", read_only=True)
    words = serializers.SerializerMethodField()

    class Meta:
        model = AuthorityLimit
        fields = [
            *("role", "role_name", "level", "concession", "segment", "region", "asked_in", "arr_from", "arr_to"),
            *("up_to", "currency", "needs_function", "effective_from", "effective_to", "words"),
        ]
        read_only_fields = fields

    def get_words(self, limit: AuthorityLimit) -> str:
        """The text of the row on the matrix page."""
        return words(limit)


class BandSerializer(serializers.ModelSerializer):
    """A pre-approved range."""

    concession = serializers.CharField(source="concession.slug", read_only=True)

    class Meta:
        model = ExceptionBand
        fields = ["concession", "tier", "up_to", "currency"]
        read_only_fields = fields


class CapSerializer(OfRole):
    """The most a role may grant in a quarter."""

    class Meta:
        model = QuarterCap
        fields = ["role", "concession", "up_to", "currency"]
        read_only_fields = fields


class CommitteeSerializer(serializers.ModelSerializer):
    """A role whose holders decide together."""

    role = serializers.CharField(source="role.slug", read_only=True)

    class Meta:
        model = Committee
        fields = ["role", "quorum", "quorum_of"]
        read_only_fields = fields


class FunctionSerializer(OfRole):
    """A function that takes part besides the authority."""

    class Meta:
        model = ChainRule
        fields = [
            *("role", "concession", "part", "place", "quorum", "quorum_of", "above", "segment", "region", "sort"),
        ]
        read_only_fields = fields


class MatrixSerializer(serializers.ModelSerializer):
    """The version in force, with every row of it."""

    publisher = serializers.EmailField(source="publisher.email", default=None, read_only=True)
    concessions = ConcessionSerializer(many=True, read_only=True)
    limits = LimitSerializer(many=True, read_only=True)
    bands = BandSerializer(many=True, read_only=True)
    caps = CapSerializer(many=True, read_only=True)
    committees = CommitteeSerializer(many=True, read_only=True)
    functions = FunctionSerializer(source="chain_rules", many=True, read_only=True)
    mine = serializers.SerializerMethodField()

    class Meta:
        model = AuthorityVersion
        fields = [
            *("number", "note", "effective_from", "published_at", "publisher", "window_days", "concessions", "limits"),
            *("bands", "caps", "committees", "functions", "mine"),
        ]
        read_only_fields = fields

    def get_mine(self, version: AuthorityVersion) -> list[str]:
        """Roles the caller holds."""
        return sorted(self.context["request"].user.role_slugs)


ROWS = ("concessions", "limits__role", "limits__concession", "bands__concession", "caps__role", "caps__concession")
MORE = ("committees__role", "chain_rules__role", "chain_rules__concession")


class AuthorityViewSet(KnownParameters, viewsets.GenericViewSet[AuthorityVersion]):
    """The authority matrix."""

    queryset = AuthorityVersion.objects.none()
    serializer_class = WhoSerializer
    pagination_class = None
    filter_backends = []
    own_parameters = {"who": WhoQuerySerializer}
    no_lists = ("matrix",)

    @extend_schema(parameters=[WhoQuerySerializer], responses=WhoSerializer)
    @action(detail=False, methods=["get"])
    def who(self, request: Caller) -> Response:
        """Who approves this? The lowest role whose limit covers it, the person, and everybody else who takes part."""
        given = WhoQuerySerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        account = self._account(request, asked["account"])
        ask = Ask(asked["concession"], asked["amount"], asked["currency"], account, asked["renewal"])
        found = preview(ask, user=request.user, tier=asked["tier"], beneficiary=asked["beneficiary"])
        return Response(WhoSerializer(found).data)

    @extend_schema(responses=MatrixSerializer)
    @action(detail=False, methods=["get"])
    def matrix(self, request: Caller) -> Response:
        """The whole matrix in force, for all users. It is changed in a draft that a second person publishes."""
        version = version_at(now())
        # `Any`, because mypy fails on the prefetch of a list of names.
        rows: Any = AuthorityVersion.objects.select_related("publisher")
        found = rows.prefetch_related(*ROWS, *MORE).get(pk=version.pk)
        return Response(MatrixSerializer(found, context={"request": request}).data)

    def _account(self, request: Caller, pk: int | None) -> Account | None:
        if pk is None:
            return None
        account = Account.objects.visible_to(request.user).filter(pk=pk).first()
        if account is None:
            raise NotThere("There is no such account.", field="account")
        return account
