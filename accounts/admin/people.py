"""Users and the roles they hold."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.calendars.rules.workcalendar import find_zone
from accounts.models import Role, RoleHolding, User, UserWords
from accounts.people.leaving import is_last_administrator, page_of
from accounts.people.rules import Held, ends_up_outside
from ledger.format import listed
from ledger.now import now
from ledger.search import index

POWERS = ("is_staff", "is_superuser", "groups")


def checked_zone(name: str) -> str:
    """The zone's name; a form error for one that does not exist."""
    try:
        find_zone(name)
    except ValueError as error:
        raise forms.ValidationError(str(error))
    return name


class PersonForm(forms.ModelForm):
    """A user without the password, because nobody needs to see its hash."""

    class Meta:
        model = User
        fields = [
            *("email", "name", "kind", "manager", "team", "region", "zone", "density", "shortcuts"),
            *("is_staff", "is_superuser", "groups"),
        ]

    def clean_zone(self) -> str:
        """An existing zone; every page is shown in it."""
        return checked_zone(self.cleaned_data["zone"])

    def clean_email(self) -> str:
        """Addresses are kept in lower case."""
        return self.cleaned_data["email"].strip().lower()

    def clean_is_superuser(self) -> bool:
        """Somebody must be able to administer the desk."""
        kept: bool = self.cleaned_data["is_superuser"]
        if not kept and self.instance.pk and is_last_administrator(User.objects.get(pk=self.instance.pk)):
            raise forms.ValidationError("This is the last active administrator. Appoint another one first.")
        return kept

    def clean_manager(self) -> User | None:
        """No circles, because escalations follow this chain."""
        manager = self.cleaned_data["manager"]
        if manager and self.instance.pk and manager.pk in self.instance.tree_ids:
            raise forms.ValidationError("Choose somebody who does not report to this person.")
        return manager


class NewPersonForm(AdminUserCreationForm):
    """A new user: address, name and first password."""

    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        """Addresses are kept in lower case and are unique in any case."""
        email = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("A user with this address exists.")
        return email


class HoldingFormSet(BaseInlineFormSet):
    """The roles of a person. A colleague does not become an external party here, because work would go on waiting for them."""

    def clean(self) -> None:
        """Refuse to leave a colleague with roles of external parties only, and name the page that moves the work on."""
        super().clean()
        user = self.instance
        if user.pk is None or user.is_superuser or user.is_external or any(self.errors):
            return
        was_inside = user.holdings.exclude(role__sees=Role.SHARED).exists()
        rows = [form.cleaned_data for form in self.forms if form.cleaned_data.get("role")]
        after = [Held(row["role"].sees == Role.SHARED, row["starts"], row["ends"]) for row in rows]
        if was_inside and ends_up_outside(after, now()):
            words = (
                '{0} is a colleague, and work may wait for them. <a href="{1}">See what is open</a> and make {0} '
                "an external party there: the work moves on first."
            )
            raise forms.ValidationError(format_html(words, user, page_of(user)))


class HoldingInline(admin.TabularInline):
    """Roles held, from when to when. End a holding instead of removing it: decisions refer to it."""

    model = RoleHolding
    formset = HoldingFormSet
    extra = 0
    autocomplete_fields = ["role"]
    verbose_name_plural = "roles held (to remove a role, enter its end; the role ends at that moment)"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Holdings end; they are not removed."""
        return False


@admin.register(User)
class PersonAdmin(UserAdmin):
    """Users sign in by e-mail. The password can be set, never read."""

    form = PersonForm
    add_form = NewPersonForm
    inlines = [HoldingInline]
    ordering = ["name"]
    list_display = ["name", "email", "manager", "team", "region", "kind", "is_active"]
    list_filter = ["is_active", "kind", "holdings__role", "region"]
    list_select_related = ["manager"]
    search_fields = ["name", "email", "team"]
    autocomplete_fields = ["manager"]
    readonly_fields = ["password_link", "active", "last_login", "date_joined"]
    filter_horizontal = ["groups"]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]
    fieldsets = [
        (None, {"fields": ["email", "password_link", "name", "kind", "active"]}),
        (
            "Place in the company",
            {
                "fields": ["manager", "team", "region"],
                "description": "Escalations go up the chain of managers; a manager who holds the role asked for gets them.",
            },
        ),
        (
            "Reading",
            {"fields": ["zone", "density", "shortcuts"], "description": "People change these on their profile."},
        ),
        (
            "Admin rights",
            {
                "fields": list(POWERS),
                "description": "Only superusers change these. Permissions in the product come from roles.",
            },
        ),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]

    @admin.display(description="password")
    def password_link(self, user: User) -> SafeString:
        """Where a new password is set."""
        return format_html('<a href="../password/">{}</a>', "Set a new password")

    @admin.display(description="active")
    def active(self, user: User) -> SafeString:
        """Whether the person is active, with a link to the page that changes it and moves the person's work on."""
        word, act = ("Yes", "Deactivate") if user.is_active else ("No", "Reactivate")
        return format_html('{}. <a href="{}">{}</a>', word, page_of(user), act)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only superusers change rights and superusers, so that nobody can give rights to themselves."""
        locked = [] if getattr(request.user, "is_superuser", False) else list(POWERS)
        return [*super().get_readonly_fields(request, obj), *locked]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only superusers change a superuser, because a person who sets the password gets the rights."""
        if obj is not None and obj.is_superuser and not getattr(request.user, "is_superuser", False):
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: object, change: bool) -> None:
        """Saves the person, who is found by name, address and team."""
        super().save_model(request, obj, form, change)
        index.write(UserWords, [obj.pk])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """As the search of the desk."""
        return (queryset.matching(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People become inactive and are not removed, because records name them."""
        return False


class RoleForm(forms.ModelForm):
    """A role."""

    class Meta:
        model = Role
        fields = [
            *("name", "slug", "function", "sort", "level", "rank", "quorum", "account_person"),
            *("sees", "operations", "start_page", "fallback_owner", "fallback_decider"),
        ]

    def clean_sees(self) -> str:
        """A role that people hold does not become one of external parties, nor the other way round."""
        sees: str = self.cleaned_data["sees"]
        if self.instance.pk and Role.SHARED in (sees, self.initial["sees"]) and sees != self.initial["sees"]:
            holdings = RoleHolding.objects.filter(role=self.instance).exclude(ends__lte=now())
            if names := [str(each.user) for each in holdings.select_related("user").order_by("user__name", "pk")]:
                raise forms.ValidationError(
                    f"{listed(names)} hold this role, and what they may see would change. Create another role and give it "
                    "to each of them."
                )
        return sees


@admin.register(Role)
class RoleAdmin(admin.ModelAdmin):
    """Jobs in the escalation framework."""

    form = RoleForm
    list_display = ["name", "slug", "level", "rank", "function", "sees", "quorum", "operations", "sort"]
    list_filter = ["level", "sees", "quorum", "operations"]
    search_fields = ["name", "slug"]
    ordering = ["sort", "name"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "function", "sort"]}),
        ("Authority", {"fields": ["level", "rank", "quorum", "account_person"]}),
        (
            "What the role can do",
            {"fields": ["sees", "operations", "start_page", "fallback_owner", "fallback_decider"]},
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> list[str]:
        """Matrices refer to the slug, so it does not change."""
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Matrices and the record refer to roles."""
        return False
