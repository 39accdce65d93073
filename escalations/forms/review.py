"""The post-escalation review: its answers, and its waiver."""

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString, mark_safe

from escalations.forms.fields import CaseForm, line, plain, words
from escalations.models import Review
from ledger.form_options import Posted


class ReviewForm(forms.Form):
    """All answers on one page. Each has its value from when the page was opened, so that only changed answers are
    written, and a change by another person in between is shown instead of lost."""

    timeline_checked = forms.BooleanField(
        label="I checked the timeline against what happened", required=False, show_hidden_initial=True
    )
    triggered = words("What triggered it", rows=2, show_hidden_initial=True)
    worked = words("What worked", rows=3, show_hidden_initial=True)
    change = words("What to change", rows=3, show_hidden_initial=True)
    change_target = line(
        "Trigger, matrix row or target concerned",
        longest=120,
        show_hidden_initial=True,
        help_text="The people who can change it see this.",
    )
    root_cause = line(
        "Root cause", longest=120, show_hidden_initial=True, help_text="Use a name from the list when it is the same."
    )
    automate = words("What to automate or train", rows=2, show_hidden_initial=True)
    lessons = words("Lessons", rows=3, show_hidden_initial=True)

    def __init__(self, data: Posted | None = None, *, review: Review) -> None:
        # A plain dict: no field here has several values.
        sent = {name: data[name] for name in data} if data is not None else None
        super().__init__(sent, initial={name: getattr(review, name) for name in self.base_fields})
        self.review = review
        self.conflict = False
        self.fields["root_cause"].widget.attrs |= {"list": "causes", "autocomplete": "off"}

    def opened_with(self) -> SafeString:
        """Hidden fields: the values when the page was opened."""
        return mark_safe("".join(field.as_hidden(only_initial=True) for field in self))  # noqa: S308 - Django escaped each

    def clean(self) -> dict[str, object]:
        """A field that another person changed too is refused with that person's text."""
        values = {name: plain(value) for name, value in (super().clean() or self.cleaned_data).items()}
        for name in self.changed_data:
            now = getattr(self.review, name)
            if name in values and now not in (values[name], plain(self._opened(name))):
                self.add_error(name, f"Someone has changed this to: “{now}”. Save again to keep your text.")
                self.conflict = True
                self.data = {**self.data, self[name].html_initial_name: now}
        return values

    def _opened(self, name: str) -> object:
        bound = self[name]
        return bound.field.to_python(
            bound.field.hidden_widget().value_from_datadict(self.data, MultiValueDict(), bound.html_initial_name)
        )

    def answers(self) -> dict[str, object]:
        """The answers that the person changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class WaiveForm(CaseForm):
    """Waiving a review."""

    reason = line("Reason for waiving", required="Enter why no review is needed.")
