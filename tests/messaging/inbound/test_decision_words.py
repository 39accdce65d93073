import pytest

from messaging.inbound.rules.decision_words import AMBIGUOUS, WORDS, comment_in, decision_in


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
        ("Nein", "decline"),
        ("Oui", "approve"),
        ("*Approved*", "approve"),
        ("👍 Approved", "approve"),
        ("Declined ❌", "decline"),
        ("approved\r\nFor this quarter only.", "approve"),
        ("Decline\nNo budget left.", "decline"),
        ("No\nThe problem is the margin.", "decline"),
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
        "No\nworries",
        "No\r\nproblem!",
        "no\nobjections.",
    ],
)
def test_anything_else_decides_nothing(text: str) -> None:
    assert decision_in(text) is None


@pytest.mark.parametrize(
    ("language", "yes", "no"),
    [
        ("English", ["approve", "approved", "yes"], ["decline", "declined", "reject", "rejected", "no"]),
        ("German", ["genehmigt", "ich genehmige"], ["abgelehnt", "nein"]),
        ("French", ["approuvé", "j’approuve", "oui"], ["refusé", "non"]),
        ("Spanish", ["aprobado", "sí"], ["rechazado", "denegado"]),
        ("Italian", ["approvato", "sì"], ["rifiutato", "respinto"]),
        ("Dutch", ["goedgekeurd", "akkoord"], ["afgewezen", "nee"]),
        ("Portuguese", ["aprovado", "aprovo"], ["recusado", "não"]),
        ("Swedish", ["godkänd", "godkänt"], ["avslå", "nej"]),
        ("Norwegian", ["godkjent"], ["avslått", "nei"]),
        ("Danish", ["godkendt"], ["afvist", "nej"]),
        ("Finnish", ["hyväksytty", "kyllä"], ["hylätty"]),
        ("Polish", ["zatwierdzam", "akceptuję"], ["odrzucam"]),
        ("Czech", ["schváleno"], ["zamítnuto"]),
        ("Russian", ["утверждаю", "да"], ["отклоняю", "нет"]),
        ("Turkish", ["onaylandı", "evet"], ["reddedildi", "hayır"]),
        ("Romanian", ["aprobat"], ["respins"]),
        ("Hungarian", ["jóváhagyva"], ["elutasítva"]),
        ("Japanese", ["承認します", "はい"], ["却下", "いいえ"]),
        ("Chinese", ["批准", "同意"], ["拒绝", "拒絕", "不同意"]),
        ("Korean", ["승인", "예"], ["거부", "아니요"]),
    ],
)
def test_each_language_has_its_own_words(language: str, yes: list[str], no: list[str]) -> None:
    for decision, words in (("approve", yes), ("decline", no)):
        own = WORDS[language]["approve" if decision == "approve" else "decline"].split("|")
        assert {word.replace("’", "'") for word in words} <= set(own)
        assert {decision_in(word.capitalize()) for word in words} == {decision}


def test_no_word_is_in_two_lists_that_disagree_and_none_is_ambiguous() -> None:
    approving, declining = (
        {word for lists in WORDS.values() for word in lists["approve"].split("|")},
        {word for lists in WORDS.values() for word in lists["decline"].split("|")},
    )
    assert len(WORDS) == 20
    assert not approving & declining
    assert not (approving | declining) & {word for words in AMBIGUOUS.values() for word in words}


@pytest.mark.parametrize(
    "word",
    [
        "Tak",  # Polish yes; Danish and Norwegian thanks, Czech so
        "Tack",  # Swedish thanks
        "Takk",  # Norwegian thanks
        "Igen",  # Hungarian yes; Danish and Swedish again
        "Igjen",  # Norwegian again
        "Já",  # Portuguese already, Czech I
        "Si",  # Italian and Spanish yes without its accent; French and Spanish if
        "Da",  # Russian and Romanian yes; German there, Italian from
        "Ano",  # Czech yes; Spanish and Portuguese year
        "Nem",  # Hungarian no; Danish easy
        "Ne",  # Czech no; French half a not, Turkish what
        "Nu",  # Romanian no; Dutch, Danish and Swedish now
        "Ei",  # Finnish no; German egg
        "Net",  # Russian no; Dutch just now, English net
        "Avslag",  # Swedish refusal; Norwegian discount
        "否認",  # Japanese refusal; Chinese to deny
        "OK",
        "Okay",
        "Fine",
    ],
)
def test_a_word_that_means_something_else_in_another_language_decides_nothing(word: str) -> None:
    for text in (word, f"{word}!", f"{word.lower()}.\r\n\r\nMvh Lena", f"👍 {word}"):
        assert decision_in(text) is None


@pytest.mark.parametrize("text", ["Approve\nNie", "Yes\n\nnem.", "Decline\nJa", "No\nTak", "Decline\nSim!"])
def test_below_a_decision_even_an_ambiguous_word_contradicts_it(text: str) -> None:
    assert decision_in(text) is None


def test_the_comment_starts_on_the_second_line() -> None:
    assert comment_in("approve\n\nOnly for 2024.\nThanks") == "Only for 2024.\nThanks"
    assert comment_in("approve") == ""
