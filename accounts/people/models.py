"""Users, roles and who holds which role when."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar, cast

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import DEFAULT_DB_ALIAS, connection, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from accounts.people import rules
from ledger.models import SearchWords
from ledger.now import now
from ledger.prepared import PreparedRows
from ledger.search import index
from ledger.search.index import SearchableQuerySet

Read = TypeVar("Read")

# UNION ends a circle of managers.
TREE = (
    "WITH RECURSIVE tree(id) AS (SELECT CAST(%s AS bigint) UNION "
    "SELECT person.id FROM accounts_user person JOIN tree ON person.manager_id = tree.id) SELECT id FROM tree"
)


class UserManager(BaseUserManager.from_queryset(SearchableQuerySet["User"])):  # type: ignore[misc]
    """Creates users by e-mail; addresses are kept in lower case."""

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A user who can sign in. Raises ValueError without an address."""
        if not email:
            raise ValueError("Enter an e-mail address for the user.")
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        index.add(UserWords, user)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """An administrator of the installation."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **extra})

    def get_by_natural_key(self, username: str | None) -> "User":
        """By address, ignoring case."""
        return self.get(email=(username or "").strip().lower())

    def holding(self, role_slugs: Iterable[str], at: datetime | None = None) -> models.QuerySet["User"]:
        """Active people who hold one of the roles at that moment, in a stable order."""
        held = RoleHolding.objects.in_force(at or now()).filter(role__slug__in=list(role_slugs))
        held = held.exclude(role__sees=Role.SHARED)
        return self.filter(is_active=True, holdings__in=held).distinct().order_by("id")

    def external(self, at: datetime | None = None) -> models.QuerySet["User"]:
        """External parties at that moment, active or not: what `User.is_external` says, for many people at once."""
        held = RoleHolding.objects.filter(user=OuterRef("pk"))
        inside = held.in_force(at or now()).exclude(role__sees=Role.SHARED)
        return self.filter(Exists(held.filter(role__sees=Role.SHARED)), ~Exists(inside), is_superuser=False)

    def external_among(self, people: Collection[int]) -> set[int]:
        """The ids of those who are external parties now."""
        return set(self.external().filter(pk__in=people).values_list("pk", flat=True)) if people else set()


class User(AbstractBaseUser, PermissionsMixin):
    """A person (or service) who signs in. Never a customer's contact."""

    PERSON, SERVICE = "person", "service"
    KINDS: ClassVar = [(PERSON, "Person"), (SERVICE, "Service")]
    DENSITIES: ClassVar = [("comfortable", "Comfortable"), ("compact", "Compact")]

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    zone = models.CharField("time zone", max_length=60, default="America/New_York", help_text="Such as Europe/Berlin.")
    manager = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    team = models.CharField(max_length=80, blank=True)
    region = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=10, choices=KINDS, default=PERSON)
    density = models.CharField(max_length=12, choices=DENSITIES, default="comfortable")
    shortcuts = models.BooleanField("keyboard shortcuts", default=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("can open the admin", default=False)
    date_joined = models.DateTimeField(default=now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]
    objects = UserManager()
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_ci")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name as shown."""
        return self.name

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        return rules.initials(self.name, self.email)

    @property
    def avatar(self) -> str:
        """One of four avatar colours, stable per person."""
        return rules.avatar(self.pk or 0)

    @cached_property
    def roles(self) -> list["Role"]:
        """Roles held now, most senior first; one query, kept for the request."""
        return HELD_ROLES.read(self.pk or 0, now())

    @property
    def role_slugs(self) -> frozenset[str]:
        """Slugs of the roles held now."""
        return frozenset(role.slug for role in self.roles)

    @property
    def role_label(self) -> str:
        """The name of the most senior role, for the corner of the page."""
        return self.roles[0].name if self.roles else ("Service" if self.kind == self.SERVICE else "No role yet")

    @classmethod
    def anyone(cls, pk: int, sees: str) -> "User":
        """A person of whom only the id and the scope are known, for queries that are put together for all people of a
        scope. What else a query asks of the person or the roles is looked up under a number nobody has, so it fails."""
        person = cls.from_db(DEFAULT_DB_ALIAS, ["id", "is_superuser"], [pk, False])
        person.roles = [Role.from_db(DEFAULT_DB_ALIAS, ["id", "sees"], [pk, sees])]
        return person

    def has_role(self, *slugs: str) -> bool:
        """Whether one of these roles is held now."""
        return bool(self.role_slugs & set(slugs))

    @property
    def sees(self) -> str:
        """The widest scope of the roles held: all, tree, function, own or shared."""
        if self.is_superuser:
            return Role.ALL
        held = {role.sees for role in self.roles}
        if held == {Role.SHARED} or (not held and self._was_external):
            return Role.SHARED
        return next((scope for scope in (Role.ALL, Role.TREE, Role.FUNCTION) if scope in held), Role.OWN)

    @cached_property
    def _was_external(self) -> bool:
        """Whether a role that has ended, or not begun, was one of an external party: it leaves no wider access behind."""
        return self.pk is not None and self.holdings.filter(role__sees=Role.SHARED).exists()

    @property
    def is_external(self) -> bool:
        """An external party: reads and answers what is shared with them, and opens no other page."""
        return self.sees == Role.SHARED

    @property
    def is_colleague(self) -> bool:
        """An active person (or service) of our company: work may wait for them."""
        return self.is_active and not self.is_external

    @property
    def is_ops(self) -> bool:
        """Whether a role held now is one of operations: those people see the operations pages."""
        return self.is_superuser or any(role.operations for role in self.roles)

    @property
    def is_senior(self) -> bool:
        """Whether a role held now decides at some level of the policy."""
        return any(role.rank > 0 for role in self.roles)

    @cached_property
    def tree_ids(self) -> list[int]:
        """This person and everyone who reports to them, at any depth; one query."""
        with connection.cursor() as cursor:
            cursor.execute(f"{TREE} ORDER BY id", [self.pk])
            return [row[0] for row in cursor.fetchall()]

    @property
    def tree(self) -> RawSQL:
        """`tree_ids` for `__in`, as one value: a statement with a parameter for each person takes long to read."""
        if connection.vendor == "postgresql":
            return RawSQL("SELECT unnest(%s::bigint[])", [self.tree_ids])
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(self.tree_ids)])


def kept(user: User, name: str, read: Callable[[], Read]) -> Read:
    """What `read` returns, read once for a user object. Views load the user anew for each request, so it never lives
    longer than the page; verbs read again."""
    found: dict[str, Any] = vars(user).setdefault("_kept", {})
    if name not in found:
        found[name] = read()
    return cast(Read, found[name])


class UserWords(SearchWords):
    """The words by which a person is found."""

    user = models.OneToOneField(
        User, primary_key=True, db_column="rowid", db_constraint=False, on_delete=models.CASCADE, related_name="words"
    )

    class Meta(SearchWords.Meta):
        pass

    @classmethod
    def owners(cls) -> models.QuerySet[User]:
        """People."""
        return User.objects.only("name", "email", "team")

    @classmethod
    def texts(cls, owner: User) -> tuple[Sequence[str], Sequence[str]]:
        """The name; address and team."""
        return (owner.name,), (owner.email, owner.team)


class Role(models.Model):
    """A function in the escalation framework. What a role can do is set by its fields, never by its slug."""

    SHARED, OWN, FUNCTION, TREE, ALL = "shared", "own", "function", "tree", "all"
    SCOPES: ClassVar = [
        (SHARED, "External party: only what is shared with them"),
        (OWN, "Own accounts and cases they serve or watch"),
        (FUNCTION, "Cases handed to them and requests addressed to them"),
        (TREE, "Everything of their reporting tree"),
        (ALL, "Everything that is not confidential"),
    ]
    CSM, AE = "csm", "ae"
    ACCOUNT_PEOPLE: ClassVar = [(CSM, "The account's CSM"), (AE, "The account's account executive")]
    QUEUE, INBOX, DASHBOARD = "queue", "inbox", "dashboard"
    START_PAGES: ClassVar = [(INBOX, "Approvals"), (DASHBOARD, "Dashboard"), (QUEUE, "Queue")]
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    level = models.SlugField(
        max_length=40,
        blank=True,
        help_text="Level of the policy at which the role decides, such as director. Empty: it works on cases.",
    )
    rank = models.PositiveSmallIntegerField(
        default=0,
        help_text="Order of authority: 0 works on cases, a higher number decides more. "
        "Publishing a policy sets it to the rank of the level.",
    )
    function = models.CharField(max_length=40, blank=True, help_text="Such as legal, finance, product.")
    sees = models.CharField(max_length=10, choices=SCOPES, default=OWN)
    quorum = models.BooleanField(default=False, help_text="A committee: decides by quorum.")
    account_person = models.CharField(
        max_length=3,
        choices=ACCOUNT_PEOPLE,
        blank=True,
        help_text="The person named on the account. Decides for these accounts only.",
    )
    operations = models.BooleanField(
        default=False, help_text="Sees the operations pages, edits the policy, is notified when a case has no owner."
    )
    start_page = models.CharField(
        max_length=10, choices=START_PAGES, default=QUEUE, help_text="Start page of people with this role."
    )
    fallback_owner = models.BooleanField(
        default=False,
        help_text="Owns a case if nobody holds the owner role of its matrix row; in the order of roles.",
    )
    fallback_decider = models.BooleanField(
        default=False, help_text="Decides if nobody holds the role of the matrix row; in the order of roles."
    )
    sort = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["sort", "name"]

    def __str__(self) -> str:
        return self.name


class RoleHoldingQuerySet(models.QuerySet["RoleHolding"]):
    """The business queries of role holdings."""

    def in_force(self, at: datetime) -> "RoleHoldingQuerySet":
        """Holdings that apply at that moment."""
        return self.filter(starts__lte=at).filter(Q(ends__isnull=True) | Q(ends__gt=at))


class RoleHolding(models.Model):
    """A person holds a role from one moment to another (half-open)."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="holdings")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="holdings")
    starts = models.DateTimeField(default=now)
    ends = models.DateTimeField(null=True, blank=True)
    objects = RoleHoldingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__isnull=True) | Q(ends__gt=models.F("starts")), name="holding_ends_after_start"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


def _held_roles(user: int, at: datetime) -> models.QuerySet[Role]:
    holdings = RoleHolding.objects.in_force(at).filter(user=user)
    return Role.objects.filter(pk__in=holdings.values("role")).order_by("-rank", "sort")


HELD_ROLES = PreparedRows(Role, _held_roles, int, datetime)
