"""Both sides of a conflict, sentence by sentence."""

from escalations.cases.rules.text_diff import changes


def test_a_replaced_sentence_shows_as_gone_and_new():
    before = "Legal supports it. Waiting on finance."
    assert changes(before, "Legal supports it. Waiting on the sponsor.") == [
        ("same", "Legal supports it."),
        ("del", "Waiting on finance."),
        ("ins", "Waiting on the sponsor."),
    ]


def test_a_first_text_is_all_new_and_equal_texts_show_no_change():
    assert changes("", "One. Two.") == [("ins", "One."), ("ins", "Two.")]
    assert changes("One.\nTwo.", "One. Two.") == [("same", "One."), ("same", "Two.")]
