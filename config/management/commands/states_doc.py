"""`manage.py states_doc docs/states.md`: write the transition tables of cases and requests as documentation."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model
from django_fsm import FSMFieldMixin, Transition

ANYWHERE = ("*", "+")
HEAD = "# States\n\nGenerated from the transition tables of the models by `make docs`; do not edit.\n"


class Command(BaseCommand):
    help = "Write the states and moves of cases and requests to FILE, or check that FILE is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--check", action="store_true", help="write nothing; fail when FILE is out of date")

    def handle(self, *args: object, file: Path, check: bool, **options: object) -> None:
        text = document()
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {file}.")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            raise CommandError(f"{file} is out of date: run make docs")
        else:
            self.stdout.write(f"{file} is up to date.")


def document() -> str:
    """The page: one section for every state field of a model that has moves."""
    parts = (_section(model, field) for model in apps.get_models() for field in _state_fields(model))
    return "\n".join([HEAD, *filter(None, parts)])


def _state_fields(model: type[Model]) -> Iterator[FSMFieldMixin]:
    yield from (field for field in model._meta.get_fields() if isinstance(field, FSMFieldMixin))


def _section(model: type[Model], field: FSMFieldMixin) -> str:
    moves = sorted(field.get_all_transitions(model), key=lambda move: _order(field, move))
    if not moves:
        return ""
    labels = dict(field.flatchoices)
    lines = [f"## {str(model._meta.verbose_name).capitalize()}", "", "```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {field.get_default()}"]
    lines += [f"    {move.source} --> {move.target}: {_words(move)}" for move in moves if move.source not in ANYWHERE]
    lines += ["```", "", "| From | Move | To | What it means |", "|---|---|---|---|"]
    lines += [
        f"| {_label(labels, move.source)} | `{move.name}` | {_label(labels, move.target)} | {_meaning(move)} |"
        for move in moves
    ]
    return "\n".join([*lines, ""])


def _order(field: FSMFieldMixin, move: Transition) -> tuple[int, str, str]:
    known = [value for value, _ in field.flatchoices]
    return (known.index(move.source) if move.source in known else -1, str(move.target), move.name)


def _label(labels: dict[object, object], state: object) -> str:
    return "any" if state in ANYWHERE else str(labels.get(state, state))


def _words(move: Transition) -> str:
    return str(move.name).replace("_", " ")


def _meaning(move: Transition) -> str:
    lines = (move.method.__doc__ or "").strip().splitlines()
    return lines[0].replace("|", "\\|") if lines else ""
