"""Fields for an account or a person that is typed, because a list of all of them is too long to choose from.

While somebody types, the browser suggests names. Without a script, a text that several fit is refused with their names.
"""

from collections.abc import Mapping, Sequence

from django import forms
from django.db.models import Q, QuerySet
from django.forms.renderers import BaseRenderer
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.customers.models import AccountQuerySet
from accounts.models import Account, User

FEW = 50  # with no more accounts than this, their names are suggested before a person types
MATCHES = 8


class SearchInput(forms.TextInput):
    """A text box with suggestions: those of `names`, and those that the named address answers to the typed text."""

    def __init__(self, address: str) -> None:
        super().__init__(attrs={"autocomplete": "off"})
        self.address = address
        self.names: Sequence[str] = ()

    def render(
        self,
        name: str,
        value: object,
        attrs: Mapping[str, object] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        """The box and its list."""
        given = dict(attrs or {})
        list_id = f"{given.get('id') or name}_names"
        asking = {
            "hx-get": reverse(self.address),
            "hx-trigger": "input changed delay:250ms",
            "hx-target": f"#{list_id}",
        }
        box = super().render(name, value, {**given, "list": list_id, **asking}, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', box, list_id, options(self.names))


def options(names: Sequence[str]) -> SafeString:
    """Suggestions for a text box."""
    return format_html_join("", '<option value="{}"></option>', ((name,) for name in names))


class AccountField(forms.CharField):
    """An account by its name, or by the start of its name if only one fits; a link may give its id."""

    def __init__(self, *, label: str = "Account", required: bool = False) -> None:
        self.box = SearchInput("accounts:account_names")
        super().__init__(label=label, required=required, max_length=200, widget=self.box)
        self.accounts: AccountQuerySet = Account.objects.none()

    def offer(self, accounts: AccountQuerySet) -> None:
        """The accounts to choose from."""
        self.accounts = accounts
        names = list(accounts.order_by().values_list("name", flat=True)[: FEW + 1])
        self._suggest(sorted(names) if len(names) <= FEW else ())

    def bound_data(self, data: object, initial: object) -> object:
        """The name, also of an account that was given by its id."""
        found = self._by_id(str(data or ""))
        return found.name if found else super().bound_data(data, initial)

    def clean(self, value: object) -> Account | None:
        """The account, or None for an empty text."""
        text = str(super().clean(value) or "").strip()
        if not text:
            return None
        if found := self._by_id(text) or self.accounts.filter(name__iexact=text).order_by("pk").first():
            return found
        fits = list(self.accounts.filter(name__istartswith=text).order_by("name", "pk")[: MATCHES + 1])
        if len(fits) == 1:
            return fits[0]
        if not fits:
            raise forms.ValidationError("You have no account with that name. Enter the start of its name.")
        self._suggest([account.name for account in fits[:MATCHES]])
        raise forms.ValidationError(f"Several accounts start with this name: {_listed(fits)}. Enter the whole name.")

    def _by_id(self, text: str) -> Account | None:
        return self.accounts.filter(pk=int(text)).first() if _is_id(text) else None

    def _suggest(self, names: Sequence[str]) -> None:
        widget = self.widget
        if isinstance(widget, SearchInput):
            widget.names = names


def named(user: User) -> str:
    """A person as a text that names nobody else: `Priya Raman, priya@desk.example`."""
    return f"{user.name}, {user.email}"


def find_person(people: QuerySet[User], text: str) -> User:
    """The person of a typed text: `named`, a mail address, a name, or the start of one that only one has.

    Raises ValidationError with the people who fit.
    """
    text = text.strip()
    mail = text.rpartition(", ")[2]
    if "@" in mail:
        if found := people.filter(email__iexact=mail).first():
            return found
        raise forms.ValidationError(f"Nobody here has the mail address {mail}.")
    fits = list(people.filter(name__iexact=text)[: MATCHES + 1])
    fits = fits or list(people.filter(Q(name__istartswith=text) | Q(email__istartswith=text))[: MATCHES + 1])
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise forms.ValidationError("Nobody here has that name. Enter the start of a name or a mail address.")
    raise forms.ValidationError(
        f"Several people fit: {_listed([named(each) for each in fits])}. Enter the mail address."
    )


def _listed(fits: Sequence[object]) -> str:
    more = " and others" if len(fits) > MATCHES else ""
    return "; ".join(str(each) for each in fits[:MATCHES]) + more


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
