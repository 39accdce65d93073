"""A form field for one of thousands of accounts or people: type a name, then choose from what was found.

With scripts, suggestions come while typing. Without them the button Find shows the form again with the rows found, and
Change opens the search again; whatever else was typed stays.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, Unpack, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString

from accounts.models import Account, RoleHolding, User
from accounts.people.choosing import colleagues, with_a_role
from ledger.form_options import FormOptions, Posted
from ledger.now import now
from ledger.reading import number
from ledger.search.index import SearchableQuerySet

MOST = 20
LONGEST = 100
FIND = "find"
TEXT = "-text"


Row = Account | User
Rows: TypeAlias = QuerySet[Any]  # of either
Uploads: TypeAlias = MultiValueDict[str, UploadedFile]


class Typed(str):
    """Text typed into the search, where a form otherwise has the id of a row."""

    __slots__ = ()


@dataclass(frozen=True)
class Kind:
    """What is chosen, and the rows that a person may choose from."""

    rows: Callable[[User], Rows]
    # A text that is one of these names a row exactly.
    columns: tuple[str, ...]
    noun: str

    def found(self, rows: Rows, text: str) -> "Found":
        """The rows with every word of the text, the best first."""
        hits = cast("SearchableQuerySet[Row]", rows).best(text, MOST)
        by_id = rows.in_bulk(hits.ids)
        return Found(options([by_id[pk] for pk in hits.ids]), hits.more)

    def exactly(self, rows: Rows, text: str) -> Row | None:
        """The only row with this name or number."""
        same = Q()
        for column in self.columns:
            same |= Q(**{f"{column}__iexact": text})
        found = list(rows.filter(same)[:2]) if text else []
        return found[0] if len(found) == 1 else None


def _people(user: User) -> QuerySet[User]:
    return colleagues(user).filter(kind=User.PERSON).exclude(pk__in=User.objects.external())


KINDS = {
    "accounts": Kind(Account.objects.visible_to, ("name", "external_id"), "account"),
    "people": Kind(lambda user: with_a_role(now()).filter(pk__in=colleagues(user)), ("name", "email"), "person"),
    "colleagues": Kind(lambda user: _people(user).exclude(pk=user.pk), ("name", "email"), "person"),
}


@dataclass(frozen=True)
class Option:
    """One row as it is shown."""

    pk: int
    name: str
    facts: str


def options(rows: Iterable[Row]) -> list[Option]:
    """The rows with the facts that tell two of the same name apart. At most one query."""
    roles: dict[int, str] = {}
    if people := [row.pk for row in rows if isinstance(row, User)]:
        held = RoleHolding.objects.in_force(now()).filter(user__in=people).select_related("role")
        for holding in held.order_by("-role__rank", "role__sort"):
            roles.setdefault(holding.user_id, holding.role.name)
    return [Option(row.pk, str(row), _facts(row, roles.get(row.pk, ""))) for row in rows]


def _facts(row: Row, role: str) -> str:
    if isinstance(row, Account):
        return " · ".join(filter(None, (row.external_id, row.segment, row.country)))
    return " · ".join(filter(None, (role, row.team)))


@dataclass(frozen=True)
class Found:
    """The rows that a text finds, and whether more match."""

    rows: list[Option]
    more: bool = False


@dataclass(frozen=True)
class Shown:
    """The values of accounts/chooser.html: the row that is chosen, or the text and what it finds."""

    kind: str
    name: str
    id: str
    chosen: Option | None = None
    text: str = ""
    found: Found | None = None
    css: str = "form-control"
    attributes: str = ""

    @property
    def noun(self) -> str:
        """Such as account."""
        return KINDS[self.kind].noun


class Chooser(forms.Widget):
    """The search field, what it found, or the row that is chosen."""

    field: "ChosenField"

    def value_from_datadict(self, data: Posted, files: Uploads, name: str) -> str:
        """The id of the chosen row, else the text. A link may also give a name for the id."""
        chosen = data.get(name) or ""
        if str(chosen).isdecimal():
            return str(chosen)
        text = chosen or data.get(f"{name}{TEXT}", "")
        return Typed(str(text).replace("\x00", "").strip()[:LONGEST])

    def value_omitted_from_data(self, data: Posted, files: Uploads, name: str) -> bool:
        """Neither an id nor a text."""
        return name not in data and f"{name}{TEXT}" not in data

    def render(
        self,
        name: str,
        value: object,
        attrs: Mapping[str, object] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        """With the attributes of the field on the control that its label names."""
        given = {**self.attrs, **(attrs or {})}
        field_id, css = given.pop("id", None) or f"id_{name}", given.pop("class", "")
        row, text = self.field.row(value), value if isinstance(value, Typed) else ""
        shown = Shown(
            self.field.kind,
            name,
            field_id,
            chosen=options([row])[0] if row else None,
            text=text,
            found=self.field.found(text) if text and not row else None,
            css=css if "form-control" in css else f"form-control {css}".strip(),
            attributes=flatatt({key: each for key, each in given.items() if key != "required"}),
        )
        return SafeString(render_to_string("accounts/chooser.html", {"c": shown}))


class ChosenField(forms.ModelChoiceField):
    """One row of a kind. A text that is the name or number of exactly one row chooses it; otherwise the rows that it finds
    are offered. With `by_start` the start of a name that only one row has is enough: for forms that change nothing.
    """

    widget = Chooser

    def __init__(
        self,
        kind: str,
        *,
        required: bool = True,
        error: str = "",
        by_start: bool = False,
        help_text: str = "",
        label: str = "",
    ) -> None:
        self.kind, self.by_start = kind, by_start
        noun = KINDS[kind].noun
        article = "an" if noun[0] in "aeiou" else "a"
        errors = {
            "required": error or f"Choose {article} {noun}.",
            "invalid_choice": f"Choose {article} {noun} from the list.",
        }
        model = Account if kind == "accounts" else User
        super().__init__(
            queryset=model._default_manager.none(),
            required=required,
            error_messages=errors,
            help_text=help_text,
            label=label or None,
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> "ChosenField":
        made: ChosenField = super().__deepcopy__(memo)
        made.widget.field = made
        return made

    def found(self, text: str) -> Found:
        """The rows that a text finds."""
        return KINDS[self.kind].found(self._rows(), text)

    def row(self, value: object) -> Row | None:
        """The row with an id that may be chosen."""
        if isinstance(value, Account | User):
            return value
        text = "" if value is None or isinstance(value, Typed) else str(value)
        found = number(text)
        return self._rows().filter(pk=found).first() if found is not None else None

    def to_python(self, value: object) -> Row | None:
        """The row; None for an empty search."""
        if isinstance(value, Typed) and value:
            if exact := KINDS[self.kind].exactly(self._rows(), value):
                return exact
            noun = KINDS[self.kind].noun
            found = self.found(value).rows
            fits = [row.pk for row in found if row.name.lower().startswith(value.lower())] if self.by_start else []
            if len(fits) == 1:
                return self.row(fits[0])
            raise forms.ValidationError(
                f"Choose the {noun} from those found." if found else f"You have no {noun} with that name."
            )
        return super().to_python(value or None)

    def _rows(self) -> Rows:
        return self.queryset.all() if self.queryset is not None else User.objects.none()


def offer(form: forms.Form, user: User) -> None:
    """Let the person choose from the rows that they may choose from, in all such fields of a form."""
    for field in form.fields.values():
        if isinstance(field, ChosenField):
            field.queryset = KINDS[field.kind].rows(user)


class FindingForm(forms.Form):
    """A form with such fields. While a row is looked for nothing is checked, and all that was typed is shown again."""

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        self.finds = data is not None and FIND in data
        if data is not None and self.finds:
            self.initial = {**self.initial, **self.as_typed(data)}
            self.is_bound = False

    def as_typed(self, data: Posted) -> dict[str, object]:
        """What was typed, as first values of a form that is not checked. `find` with a minus gives a row up again."""
        names = {name: self.add_prefix(name) for name in self.fields}
        typed = {
            name: field.widget.value_from_datadict(data, MultiValueDict(), names[name])
            for name, field in self.fields.items()
        }
        if (given_up := str(data.get(FIND, ""))).startswith("-"):
            typed |= {name: Typed() for name in names if f"-{names[name]}" == given_up}
        return typed
