"""Versions of configuration with rows below them: copying one as a draft, and comparing two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import models, transaction

from ledger.models import Version
from ledger.now import now

V = TypeVar("V", bound=Version)
# The id of a copied row → the id of its copy.
Copies = dict[tuple[type[models.Model], object], object]
Keys = Mapping[type[models.Model], Sequence[str]]


@dataclass(frozen=True)
class Change:
    """One difference. `sign` is + for an added row, - for a removed one, ~ for a changed field."""

    model: str
    key: str
    field: str
    before: str
    after: str
    sign: str

    def __str__(self) -> str:
        if self.sign == "~":
            return f"{self.model} {self.key}: {self.field} {self.before or 'empty'} → {self.after or 'empty'}"
        return f"{self.model} {self.key}: {'added' if self.sign == '+' else 'removed'}"


@transaction.atomic
def clone(version: V, child_models: Sequence[type[models.Model]], number: int, author: models.Model) -> V:
    """A draft with every row of `version`. A row that points to another copied row points to its copy, so list those
    models first."""
    model = type(version)
    draft = model(number=number, state=Version.DRAFT, created_at=now())
    draft.author_id, draft.based_on = author.pk, version
    draft.save(force_insert=True)
    copies: Copies = {(model, version.pk): draft.pk}
    for child in child_models:
        for row in child._default_manager.filter(**{_link(child, model): version}):
            copies[child, row.pk] = _copy(row, copies).pk
    return draft


def _copy(row: models.Model, copies: Copies) -> models.Model:
    values = {}
    for field in row._meta.concrete_fields:
        if field.primary_key:
            continue
        value = getattr(row, field.attname)
        if field.is_relation:
            value = copies.get((field.related_model, value), value)  # type: ignore[arg-type]
        values[field.attname] = value
    return type(row)._default_manager.create(**values)


def _link(child: type[models.Model], model: type[models.Model]) -> str:
    """The name of the child's foreign key to its version."""
    return next(field.name for field in child._meta.concrete_fields if field.related_model is model)


def diff(
    old: Version | None, new: Version, child_models: Sequence[type[models.Model]], key_fields: Keys
) -> list[Change]:
    """The differences between two versions, row by row. `key_fields` has the identifying fields of a row for each model
    and may follow relations (`role__slug`). `old` may be None: then every row is added."""
    found: list[Change] = []
    for child in child_models:
        before, after = _rows(child, old, key_fields), _rows(child, new, key_fields)
        name = str(child._meta.verbose_name).capitalize()
        found += [_whole(name, key, row, "-") for key, row in before.items() if key not in after]
        for key, row in after.items():
            if key not in before:
                found.append(_whole(name, key, row, "+"))
            else:
                found += _fields(name, key, before[key], row, key_fields[child])
    return found


def _rows(child: type[models.Model], version: Version | None, key_fields: Keys) -> dict[tuple[str, ...], models.Model]:
    if version is None:
        return {}
    relations = [field.name for field in child._meta.concrete_fields if field.is_relation]
    rows = child._default_manager.filter(**{_link(child, type(version)): version}).select_related(*relations)
    return {tuple(_shown(_follow(row, path)) for path in key_fields[child]): row for row in rows}


def _follow(row: models.Model, path: str) -> object:
    found: object = row
    for name in path.split("__"):
        found = None if found is None else getattr(found, name)
    return found


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _whole(name: str, key: tuple[str, ...], row: models.Model, sign: str) -> Change:
    before, after = (str(row), "") if sign == "-" else ("", str(row))
    return Change(name, _words(key), "", before, after, sign)


def _words(key: tuple[str, ...]) -> str:
    return " · ".join(part for part in key if part)


def _fields(
    name: str, key: tuple[str, ...], before: models.Model, after: models.Model, keys: Sequence[str]
) -> list[Change]:
    left_out = {path.split("__")[0] for path in keys}
    found = []
    for field in before._meta.concrete_fields:
        if (
            field.primary_key
            or field.name in left_out
            or (field.related_model and hasattr(field.related_model, "DRAFT"))
        ):
            continue
        one, two = _shown(getattr(before, field.name)), _shown(getattr(after, field.name))
        if one != two:
            found.append(Change(name, _words(key), str(field.verbose_name), one, two, "~"))
    return found
