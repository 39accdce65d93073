"""Which case a mail names, and whether it says only thanks: rules without a database."""

import pytest

from escalations.cases.rules import addressing
from escalations.cases.rules.addressing import ANSWER, NAMED, TOKEN, Clue
from escalations.cases.rules.thanks import only_thanks


def is_token(case_id: int, token: str) -> bool:
    """The token of a case is t and its number."""
    return token == f"t{case_id}"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("case+1042.t1042@desk.example", [Clue(1042, TOKEN)]),
        ("Desk <CASE+1042.T1042@desk.example>", [Clue(1042, TOKEN)]),
        ("case+1042@desk.example", [Clue(1042, NAMED)]),
        ("case+1042.t1043@desk.example", [Clue(1042, NAMED)]),
        ("case+1042@another-desk.example", []),
        ("showcase+1042@desk.example", []),
        ("case+x@desk.example", []),
    ],
)
def test_an_address_tells_its_case_surely_only_with_its_own_token(address: str, found: list[Clue]) -> None:
    assert addressing.addressed([address], "desk.example", is_token) == found


def test_the_surest_clue_comes_first_and_each_case_once() -> None:
    clues = [Clue(3, NAMED), Clue(2, ANSWER), Clue(1, TOKEN), Clue(3, ANSWER)]
    assert addressing.in_order(clues) == [Clue(1, TOKEN), Clue(2, ANSWER), Clue(3, ANSWER)]


def test_the_nearest_mail_is_answered_first() -> None:
    assert addressing.answered_ids("<c@x>", ["<a@x>", "<b@x>", "<c@x>"]) == ["<c@x>", "<b@x>", "<a@x>"]


def test_only_threads_of_our_domain_are_ours() -> None:
    ids = ["<case-1067@desk.example>", "<case-1068@elsewhere.example>", "<x@desk.example>"]
    assert addressing.threads(ids, "desk.example") == [Clue(1067, ANSWER)]


@pytest.mark.parametrize(
    ("subject", "keys"),
    [("Re: Update 1 on ESC-1067: Northwind", [1067]), ("WG: [esc-1067]", [1067]), ("DESC-1067 and ESC-10", [])],
)
def test_keys_in_a_subject(subject: str, keys: list[int]) -> None:
    assert [clue.case_id for clue in addressing.in_subject(subject)] == keys


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thanks a lot, all good!", "English"),
        (
            "Hi Priya,\n\nthank you very much for the quick help.\n\nBest regards\nJonas Thiel\nNorthwind Logistics",
            "English",
        ),
        ("Vielen Dank für die schnelle Hilfe!\n\nMit freundlichen Grüßen\nJonas Thiel", "German"),
        ("Merci beaucoup pour votre aide.", "French"),
        ("¡Muchas gracias por la ayuda!", "Spanish"),
        ("Grazie mille!", "Italian"),
        ("Muito obrigado pela ajuda.", "Portuguese"),
        ("Hartelijk bedankt, alles werkt nu.", "Dutch"),
        ("Tack så mycket!", "Swedish"),
        ("Mange tak for hjælpen", "Danish"),
        ("Dziękuję bardzo", "Polish"),
        ("Çok teşekkürler", "Turkish"),
        ("Большое спасибо за помощь", "Russian"),
        ("ありがとうございました。", "Japanese"),
        ("非常感谢！", "Chinese"),
        ("대단히 감사합니다.", "Korean"),
    ],
)
def test_thanks_alone_are_found_in_many_languages(text: str, language: str) -> None:
    assert only_thanks(text, ["Priya Raman", "Jonas Thiel", "Northwind Logistics"]) == f"Only thanks ({language})"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It is back. The same error since this morning, nobody here can work. Please call me.",
        "Thanks, but it is back.",
        "Thanks for nothing!",
        "Thanks. Can you call me?",
        "Thank you for the 3 months of trouble",
        "Danke, aber es geht nicht.",
        "Merci de rappeler",
        "All good.",
        "ありがとうございます。まだ動きません。",
        "谢谢，但是又坏了",
        "Thanks a lot, all good!\nPS: we cancel the contract.",
    ],
)
def test_whatever_says_more_than_thanks_is_looked_at(text: str) -> None:
    assert only_thanks(text, ["Jonas Thiel"]) == ""
