import pytest

from messaging.rules.decision_words import comment_in, decision_in


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("Approve", "approve"),
        ("APPROVED.", "approve"),
        ("\n  approved!\nBut only once.", "approve"),
        ("Genehmigt", "approve"),
        ("Approuvé", "approve"),
        ("Aprobado", "approve"),
        ("Approvato", "approve"),
        ("Akkoord", "approve"),
        ("Aprovado", "approve"),
        ("Decline", "decline"),
        ("Rejected.", "decline"),
        ("Abgelehnt", "decline"),
        ("Refusé", "decline"),
        ("Rechazado", "decline"),
        ("Rifiutato", "decline"),
        ("Afgewezen", "decline"),
        ("Recusado", "decline"),
        ("Yes", "approve"),
        ("YES!", "approve"),
        ("No.", "decline"),
        ("Ja", "approve"),
        ("Nein", "decline"),
        ("Oui", "approve"),
        ("*Approved*", "approve"),
        ("👍 Approved", "approve"),
        ("Declined ❌", "decline"),
        ("approved\r\nFor this quarter only.", "approve"),
        ("Decline\nNo budget left.", "decline"),
    ],
)
def test_one_word_alone_on_the_first_line_decides(text: str, decision: str) -> None:
    assert decision_in(text) == decision


@pytest.mark.parametrize(
    "text",
    [
        "",
        "do not approve",
        "not approved",
        "approve?",
        "> approve",
        "I would approve this",
        "approve / decline",
        "Hi\napprove",
        "ok",
        "Approved?",
        '"approve"',
        "“approve”",
        "«approve»",
        "(approve)",
        "~~approve~~",
        "approve,\nif legal agrees",
        "approve:\nthe first half",
        "No,\nI have no objection",
        "❌ approve",
        "👎 yes",
        "👍 declined",
        "no approve",
        "yes no",
        "yes but",
        "not no",
        "approve\ndecline",
        "Approve\n\nThanks\nRejected",
        "approve decline",
        "I don't approve",
        "> approve\n> decline",
        "Approve | Decline",
        "disapproved",
    ],
)
def test_anything_else_decides_nothing(text: str) -> None:
    assert decision_in(text) is None


def test_the_comment_starts_on_the_second_line() -> None:
    assert comment_in("approve\n\nOnly for 2024.\nThanks") == "Only for 2024.\nThanks"
    assert comment_in("approve") == ""
