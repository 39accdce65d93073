"""Tone: which words are heard as risk, which are not, and where exactly they stand."""

import csv
from pathlib import Path
from time import process_time

import pytest

from accounts.signals.rules.tone import read_tone


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("cancellation", "If this is not fixed by Friday we will cancel."),
        ("cancellation", "We'll cancel our contract at the end of the month"),
        ("cancellation", "We are going to terminate the agreement."),
        ("cancellation", "Please consider this our notice of termination."),
        ("cancellation", "We won’t renew."),
        ("cancellation", "The board decided not to renew with you"),
        ("cancellation", "We will have no choice but to\ncancel"),
        ("cancellation", "please cancel my subscription"),
        ("churn", "We will switch to a competitor"),
        ("churn", "we are evaluating alternatives"),
        ("churn", "Then we take our business elsewhere."),
        ("legal", "Our lawyers will be in touch"),
        ("legal", "We won't hesitate to take legal action."),
        ("legal", "This is a breach of contract."),
        ("legal", "You are in material breach"),
        ("legal", "I will sue you"),
        ("executive_complaint", "I will escalate this to your CEO"),
        ("executive_complaint", "Escalate to your CEO today"),
        ("executive_complaint", "our CFO is furious about the invoice"),
        ("chargeback", "we will file a chargeback"),
        ("chargeback", "We dispute these charges with our bank"),
        ("unacceptable", "UNACCEPTABLE"),
        ("unacceptable", "This isn't acceptable"),
        ("regulatory", "we must report this to the regulator"),
        ("regulatory", "a GDPR violation"),
        ("security", "There was a data breach last night"),
        ("security", "customer records were exposed"),
        ("hostile", "You are incompetent liars"),
        ("trust", "We have lost confidence in your team"),
        ("deadline", "by end of day Friday"),
        ("refund", "we want a full refund"),
        ("outage", "Production is down"),
        ("no_response", "Nobody answers and we are still waiting for a reply"),
        ("repeat_contact", "this is the third time we ask"),
    ],
)
def test_a_risk_phrase_is_heard(kind: str, text: str):
    assert kind in read_tone(text).kinds


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("legal", "There is no legal issue here."),
        ("legal", "We are not planning to take legal action."),
        ("legal", "Legal action is off the table."),
        ("legal", "Our legal team has approved the contract."),
        ("legal", "I am legally blind and need assistance"),
        ("cancellation", "We are not cancelling."),
        ("cancellation", "We are not cancelling our contract."),
        ("cancellation", "we will not cancel"),
        ("cancellation", "We'd never cancel our subscription, it is great"),
        ("cancellation", "I want to cancel my reservation"),
        ("cancellation", "they will cancel our flight and I'll cancel the hotel"),
        ("cancellation", "How do I cancel an order?"),
        ("cancellation", "What is your cancellation policy?"),
        ("cancellation", "I will cancel tomorrow's meeting"),
        ("chargeback", "This is without any chargeback"),
        ("security", "no data breach has been found"),
        ("executive_complaint", "Your CEO gave a fine talk at the conference"),
        ("churn", "we are moving to Berlin"),
        ("outage", "there was no outage"),
        ("refund", "Where is your refund policy"),
    ],
)
def test_everyday_and_denied_words_are_not_heard_as_risk(kind: str, text: str):
    assert kind not in read_tone(text).kinds


def test_a_condition_before_the_threat_does_not_deny_it():
    assert "cancellation" in read_tone("If you do not fix this we will cancel").kinds
    assert "cancellation" in read_tone("Not only will we leave, we will cancel the contract").kinds


def test_a_phrase_carries_the_exact_span_of_the_original_text():
    text = "Hi 🙂 team – it’s bad.\nWe’ll cancel\u00a0our contract, and this is Unacceptable!"
    tone = read_tone(text)
    assert [phrase.kind for phrase in tone.phrases] == ["cancellation", "unacceptable"]
    assert [text[phrase.start : phrase.end] for phrase in tone.phrases] == [phrase.text for phrase in tone.phrases]
    assert tone.phrases[1].text == "Unacceptable"


def test_overlapping_phrases_of_one_kind_are_reported_once():
    phrases = [p for p in read_tone("We will cancel our contract").phrases if p.kind == "cancellation"]
    assert len(phrases) == 1


def test_a_polite_legal_threat_is_negative():
    tone = read_tone("Thank you for your kind help. Our lawyers advise us to take legal action. Best wishes")
    assert tone.label == "negative"


def test_thanks_are_positive_and_a_plain_fact_is_neutral():
    assert read_tone("Thank you so much, this is great work!").label == "positive"
    assert read_tone("The invoice number is 4711.").label == "neutral"
    assert read_tone("") == (0.0, "neutral", ())


def test_asking_for_help_politely_is_not_praise():
    assert read_tone("Please help").label == "neutral"


def test_quoted_mail_headers_are_not_read():
    headers = "> From: Legal Action <legal@acme.example>\n> To: Chargebacks\n> Subject: breach of contract"
    text = f"See below.\n\n{headers}\n> fine"
    assert read_tone(text).phrases == ()


def test_only_the_beginning_of_a_huge_text_is_read_and_quickly():
    began = process_time()
    tone = read_tone("all is well here but slow. " * 400_000 + "we will cancel our contract")
    assert tone.phrases == ()
    assert process_time() - began < 3


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "\n" * 20_000, "> " * 10_000, "not " * 5_000, "From:\n" * 4_000, "!?" * 9_000]
)
def test_hostile_text_does_not_hold_the_reader(text: str):
    began = process_time()
    read_tone(text)
    assert process_time() - began < 3


def test_real_complaints_are_told_from_other_tweets(real_data: Path):
    with (real_data / "2_text" / "airline_tweets_sentiment.csv").open(encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file))[::6]
    heard = [(read_tone(row["text"]).label == "negative", row["sentiment"] == "negative") for row in rows]
    right = sum(said and true for said, true in heard)
    assert right / sum(said for said, _ in heard) > 0.85
    assert right / sum(true for _, true in heard) > 0.5


def test_neutral_bank_questions_are_rarely_heard_as_contract_risk(real_data: Path):
    with (real_data / "2_text" / "banking77_train.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::10]
    risky = {"legal", "cancellation", "executive_complaint", "regulatory", "churn"}
    assert sum(bool(read_tone(row["text"]).kinds & risky) for row in rows) / len(rows) < 0.01
