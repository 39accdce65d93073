"""Writing to and by external parties."""

from typing import Unpack, cast

from django import forms
from django.db.models import Model, QuerySet

from accounts.people.choosing import external_parties
from escalations.cases.sharing import With
from escalations.forms.fields import CaseForm, FilesField, line, words
from escalations.models import CaseFile, SharedPost
from ledger.form_options import FormOptions, Posted
from ledger.format import weekday
from ledger.now import now

LONGEST_LABEL = 80


class QuestionsField(forms.ModelMultipleChoiceField):
    """Open questions of a thread, by their first words and their day."""

    def label_from_instance(self, obj: Model) -> str:
        """Such as “Is clause 7 binding? (by Fri Jan 23, 2026)”."""
        post = cast(SharedPost, obj)
        start = " ".join(post.text.split())
        start = start if len(start) <= LONGEST_LABEL else f"{start[:LONGEST_LABEL]} …"
        return f"{start} (by {weekday(post.answer_by)})" if post.answer_by else start


class PostForm(CaseForm):
    """One message of an external party, with files; it closes the questions that are ticked."""

    text = words("Your message", required="Enter the text.")
    answers = QuestionsField(
        label="This answers",
        queryset=SharedPost.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "This question has been answered already. Read the thread again."},
    )
    files = FilesField()  # type: ignore[assignment]

    def __init__(
        self, data: Posted | None = None, *, questions: QuerySet[SharedPost], **options: Unpack[FormOptions]
    ) -> None:
        super().__init__(data, **options)
        field = cast("forms.ModelMultipleChoiceField[SharedPost]", self.fields["answers"])
        field.queryset = questions
        if not questions:
            del self.fields["answers"]

    def more(self) -> With:
        """What goes with the text."""
        given = self.cleaned_data
        return With(
            uploads=given["files"],
            chosen=list(given.get("chosen", ())),
            answer_by=given.get("answer_by"),
            answers=list(given.get("answers", ())),
        )


class OurPostForm(PostForm):
    """One message of our people, with files of the case; a day makes it a question."""

    answer_by = forms.DateField(
        label="Answer needed by",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="With a day this is a question, which stays open until it is answered.",
        error_messages={"invalid": "Enter a date."},
    )
    chosen = forms.ModelMultipleChoiceField(
        label="Share files of the case",
        queryset=CaseFile.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The external party can download what you tick.",
        error_messages={"invalid_choice": "Choose files of this case that can be downloaded."},
    )
    field_order: tuple[str, ...] = ("text", "answer_by", "answers", "files", "chosen")

    def __init__(
        self,
        data: Posted | None = None,
        *,
        questions: QuerySet[SharedPost],
        case_files: QuerySet[CaseFile],
        **options: Unpack[FormOptions],
    ) -> None:
        super().__init__(data, questions=questions, **options)
        if "answers" in self.fields:
            self.fields["answers"].label = "This closes"
        cast("forms.ModelMultipleChoiceField[CaseFile]", self.fields["chosen"]).queryset = case_files
        if not case_files:
            del self.fields["chosen"]


class ShareForm(OurPostForm):
    """A new thread with an external party."""

    party: forms.ModelChoiceField = forms.ModelChoiceField(
        label="External party",
        queryset=None,
        empty_label="Choose an external party",
        error_messages={"required": "Choose an external party.", "invalid_choice": "Choose an external party."},
        help_text="People whose only role is External party.",
    )
    subject = line("Subject", longest=160, required="Enter a subject.", help_text="The external party reads it.")
    text = words("Question or message", required="Enter the text.", help_text="The external party reads it.")
    field_order = ("party", "subject", *OurPostForm.field_order)

    def __init__(
        self, data: Posted | None = None, *, case_files: QuerySet[CaseFile], **options: Unpack[FormOptions]
    ) -> None:
        super().__init__(data, questions=SharedPost.objects.none(), case_files=case_files, **options)
        cast(forms.ModelChoiceField, self.fields["party"]).queryset = external_parties(now())
