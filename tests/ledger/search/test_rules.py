"""Folding, reading what was typed, and marking what was found: pure."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.search.rules import BORDER, LONGEST_WORD, MOST_TERMS, Query, Term, fold, joined, words

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("aÄäßøłıİI'\"“” -.@e\u0301\u0308東京👩\u200d")), max_size=40)


def nfd(text: str) -> str:
    """With each accent as a character of its own."""
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("written", ["Ärzte Nord", "ärzte nord", "arzte nord", "ARZTE NORD", nfd("Ärzte Nord")])
def test_case_and_accents_make_no_difference(written: str) -> None:
    assert words(written) == ["arzte", "nord"]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("Øresund Łódź Æther Þór", ["oresund", "lodz", "aether", "thor"]),
        ("İstanbul ISPARTA ısı", ["istanbul", "isparta", "isi"]),
        ("ﬁne ２０２６ Ⅷ", ["fine", "2026", "viii"]),
        ("jonas.thiel@northwind.example", ["jonas", "thiel", "northwind", "example"]),
        ("soft\u00adware", ["software"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("🎉 -- %_ \\ \x00", []),
    ],
)
def test_letters_of_many_languages_fold_to_plain_words(written: str, folded: list[str]) -> None:
    assert words(written) == folded


@given(TEXTS)
def test_folding_twice_changes_nothing_and_leaves_only_words(text: str) -> None:
    folded = " ".join(words(text))
    assert words(folded) == words(text)
    assert BORDER not in folded
    assert all(len(word) <= LONGEST_WORD for word in words(text))
    assert words(nfd(text)) == words(text)


@given(TEXTS, TEXTS)
def test_a_border_stands_between_fields(one: str, other: str) -> None:
    fields = [" ".join(words(each)) for each in (one, other) if words(each)]
    assert joined(one, other) == f" {BORDER} ".join(fields)


def test_typed_words_are_beginnings_and_quoted_ones_stand_together() -> None:
    query = Query.read('Cap "exact Words" “curly ones” northwind.example -- "open')
    assert query.terms == (
        Term(("cap",), prefix=True),
        Term(("exact", "words"), prefix=False),
        Term(("curly", "ones"), prefix=False),
        Term(("northwind", "example"), prefix=True),
        Term(("open",), prefix=True),
    )
    assert not Query.read(' "" “ ” 🎉')
    assert len(Query.read("a " * 50).terms) == MOST_TERMS


def test_the_words_of_a_query_language_are_words_like_others() -> None:
    query = Query.read('NOT a* OR (b) NEAR(c) "x\' & !y" <-> :*')
    assert query.fts5 == '"not" * AND "a" * AND "or" * AND "b" * AND "near c" * AND "x y"'
    assert query.tsquery == "('not':*) & ('a':*) & ('or':*) & ('b':*) & ('near' <-> 'c':*) & ('x' <-> 'y')"


@pytest.mark.parametrize(
    ("typed", "text", "marked"),
    [
        ("contr", "The contract, uncontracted", "The [contr]act, uncontracted"),
        ("arz", "Ärzte " + nfd("Ärzte"), "[Ärz]te [" + nfd("Ärz") + "]te"),
        ("arzt", nfd("Arzt\u00e9"), "[Arzt]" + nfd("\u00e9")),
        ("ae", nfd("aé"), "[" + nfd("aé") + "]"),
        ("stras", "👍🏽 Straße", "👍🏽 [Straß]e"),
        ('"arzte nord"', "Ärzte  –  Nord, Ärzte Nordost", "[Ärzte  –  Nord], Ärzte Nordost"),
        ('"cap"', "cap caps", "[cap] caps"),
        ("cap caps", "caps cap", "[caps] [cap]"),
        ("京", "東京", "東[京]"),
        ("2", "½", "[½]"),
        ("🎉", "🎉", "🎉"),
    ],
)
def test_what_was_found_is_marked_as_it_was_written(typed: str, text: str, marked: str) -> None:
    pieces = Query.read(typed).pieces(text)
    assert "".join(f"[{piece}]" if found else piece for piece, found in pieces) == marked


@given(TEXTS, TEXTS)
def test_pieces_always_add_up_to_the_text(typed: str, text: str) -> None:
    pieces = Query.read(typed).pieces(text)
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)


@given(TEXTS)
def test_every_word_of_a_text_is_marked_when_it_is_typed(text: str) -> None:
    for word in text.split()[:8]:
        if words(word) and '"' not in word and "“" not in word:
            assert any(found for _, found in Query.read(word).pieces(text))


def test_the_part_of_a_long_text_around_the_first_place_is_shown() -> None:
    text = "word " * 60 + "Straße\n" + "end " * 60
    part = Query.read("strasse").around(text, 140)
    assert "Straße end" in part
    assert part.startswith("… ")
    assert part.endswith(" …")
    assert len(part) < 150
    assert Query.read("zzz").around("short", 140) == "short"


def test_folding_keeps_the_number_of_words_within_what_the_database_takes() -> None:
    assert len(words("w " * 5000)) == 2000
    assert fold("A-b") == "a b"
