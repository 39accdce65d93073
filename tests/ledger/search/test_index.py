"""The index of a database: what it finds, in which order, how it is compared and repaired."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Account, AccountWords, User, UserWords
from ledger.receivers import check_database
from ledger.search import index
from ledger.search.rules import BORDER, Query, joined
from tests.support.cast import Cast

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
# Few letters, so that texts and queries meet; and what a parser of a database might stumble over.
SIGNS = "aábßsøo1e5.-@/ '\"&|!()<>:*\\^~{}\x00東🎉"
TEXTS = st.text(st.sampled_from(SIGNS), max_size=12)
WORDS = st.lists(TEXTS, max_size=4).map(" ".join)


def place(texts: list[tuple[str, str]]) -> None:
    """Words without rows: ids from 1 on, each with a head and a body."""
    UserWords.objects.all().delete()
    UserWords.objects.bulk_create(
        UserWords(pk=pk, head=joined(head), body=joined(body)) for pk, (head, body) in enumerate(texts, 1)
    )


def found(typed: str) -> set[int]:
    """Ids that the database finds."""
    table = connection.ops.quote_name(UserWords._meta.db_table)
    dialect = index.DIALECTS[connection.vendor]
    query = Query.read(typed)
    asked = query.fts5 if connection.vendor == "sqlite" else query.tsquery
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT w.rowid FROM {table} w WHERE {dialect.match.format(table=table)}", [asked])
        return {pk for (pk,) in cursor.fetchall()}


def meets(query: Query, *fields: str) -> bool:
    """Whether every term stands in one of the fields, word by word."""
    rows = [field.split() for text in fields for field in joined(text).split(BORDER)]
    return all(
        any(
            term.words[:-1] == tuple(row[at : at + len(term.words) - 1])
            and (row[last].startswith(term.words[-1]) if term.prefix else row[last] == term.words[-1])
            for row in rows
            for at in range(len(row) - len(term.words) + 1)
            for last in [at + len(term.words) - 1]
        )
        for term in query.terms
    )


@settings(max_examples=150)
@given(st.data())
def _the_database_finds_what_the_words_say(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
    place(texts)
    for typed in data.draw(st.lists(WORDS, min_size=5, max_size=5)):
        for each in (typed, f'"{typed}"'):
            query = Query.read(each)
            if query:
                wanted = {pk for pk, fields in enumerate(texts, 1) if meets(query, *fields)}
                assert found(each) == wanted, (query, texts)


def test_the_database_finds_exactly_what_the_words_say(db: None) -> None:
    _the_database_finds_what_the_words_say()


def test_a_phrase_does_not_reach_from_one_field_into_the_next(db: None) -> None:
    place([("red apple", "pie today"), ("red", "apple pie")])
    assert found('"apple pie"') == {2}
    assert found("red pie") == {1, 2}


def test_the_best_come_first_and_the_newest_of_equals(cast: Cast) -> None:
    def person(name: str, team: str = "") -> int:
        user: User = User.objects.create_user(f"{User.objects.count()}@desk.example", name=name, team=team)
        index.write(UserWords, [user.pk])
        return user.pk

    in_team, first, second = person("Nobody", "Quartz"), person("Quartz One"), person("Quartz Two")
    assert User.objects.best("quartz", 10) == ([second, first, in_team], False)
    assert User.objects.best("quartz", 2) == ([second, first], True)
    assert User.objects.filter(name__endswith="One").best("quartz", 10) == ([first], False)
    assert User.objects.best("quartz", 10, within=User.objects.filter(team="Quartz")) == ([in_team], False)
    assert User.objects.best(" - ", 10) == ([], False)
    assert set(User.objects.matching("QUARTZ o").values_list("pk", flat=True)) == {first}
    assert not User.objects.matching("").exists()


def test_a_new_table_is_filled_with_what_is_there(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {AccountWords._meta.db_table}")
    assert index.missing() == ["accounts_accountwords"]
    assert [each.id for each in check_database(None, ["default"])] == ["ledger.E003"]
    index.install()
    assert index.missing() == []
    assert check_database(None, ["default"]) == []
    assert list(Account.objects.matching("northw")) == [cast.northwind]


def test_differences_are_named_and_repaired(cast: Cast) -> None:
    Account.objects.filter(pk=cast.northwind.pk).update(name="Südwind")
    AccountWords.objects.filter(pk=cast.elsewhere.pk).delete()
    AccountWords.objects.create(pk=999_999, head="ghost", body="")
    out = StringIO()
    with pytest.raises(CommandError, match="3 differences"):
        call_command("rebuild_search", check=True, stdout=out)
    assert sorted(out.getvalue().splitlines()) == sorted([
        f"accounts.AccountWords {cast.northwind.pk}: out of date",
        f"accounts.AccountWords {cast.elsewhere.pk}: missing",
        "accounts.AccountWords 999999: of no row",
    ])  # fmt: skip
    call_command("rebuild_search", stdout=out)
    assert "3 differences repaired." in out.getvalue()
    call_command("rebuild_search", check=True, stdout=out)
    assert list(Account.objects.matching("sudwind")) == [cast.northwind]


def test_a_row_that_goes_takes_its_words_along(cast: Cast) -> None:
    person = User.objects.create_user("gone@desk.example", name="Gone Soon")
    person.delete()
    assert found("gone") == set()
