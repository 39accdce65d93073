"""The amount a customer asks back."""

from decimal import Decimal

import pytest

from accounts.signals.rules.tone import asks_money_back, money_asked


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("We want a refund of $12,400 by Friday.", "12400", "USD"),
        ("EUR 9.500,00 credit", "9500.00", "EUR"),
        ("a £3k refund would settle it", "3000", "GBP"),
        ("please refund us the $12,400.50.", "12400.50", "USD"),
        ("We expect you to credit our account with 1 250,00 EUR", "1250.00", "EUR"),
        ("Reimburse us CHF 12'000", "12000", "CHF"),
        ("compensation of US$ 1.5 million", "1500000", "USD"),
        ("credit note for €9.500", "9500", "EUR"),
        ("$800 back", "800", "USD"),
        ("refund of\n12,400 USD", "12400", "USD"),
        ("Refund of $500. I repeat: a $500 refund!", "500", "USD"),
    ],
)
def test_an_asked_amount_is_found_with_its_currency(text: str, amount: str, currency: str):
    assert money_asked(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We want a refund",
        "refund of 12,400",
        "We paid $50,000 and want a refund",
        "a refund, and we paid $50,000 last year",
        "refund of $500 or a credit of $900",
        "We received a refund of $500, thanks",
        "we don't want a refund of $500",
        "my credit card was charged $500",
        "refund of $1.234",
        "refund of $0",
        "50% credit",
        "Our customers demand a refund of $20,000 from us.",
        "Another customer of yours got a $15,000 credit",
        "We refunded $15,000 to them",
        "We will have to compensate them with $15,000",
    ],
)
def test_an_uncertain_amount_is_no_amount(text: str):
    assert money_asked(text) is None


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("We want our money back.", True),
        ("Please credit our account.", True),
        ("Our customers are furious, so refund us what we paid.", True),
        ("We are asking for the fee to be refunded.", True),
        ("Upsell agreed.", False),
        ("Round 2: they stay at the same price for three years.", False),
        ("Our customers want refunds from us.", False),
        ("We had to refund two hundred guests.", False),
        ("Please send us your refund policy.", False),
        ("No refund needed, thank you.", False),
        ("Thank you for the refund.", False),
    ],
)
def test_money_back_is_asked_by_words_of_this_customer(text: str, asks: bool):
    assert asks_money_back(text) is asks
