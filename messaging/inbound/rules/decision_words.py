"""A decision by mail is one word alone on the first line. Anything else is no decision.

The language of a reply is not known. Therefore a word is in no list if it is, alone on a line, an answer with another
meaning in another of these languages. One exception: "no" is a loose yes in Polish and Czech, but our mail asks in
English, and a "no" grants nothing.
"""

from typing import Literal

Decision = Literal["approve", "decline"]

WORDS: dict[str, dict[Decision, str]] = {
    "English": {
        "approve": "approve|approved|i approve|yes|yes approved|yes approve",
        "decline": "decline|declined|i decline|reject|rejected|i reject|deny|denied|no|no declined|no rejected",
    },
    "German": {
        "approve": "genehmigt|genehmige|ich genehmige|freigegeben|zugestimmt|bewilligt|ja",
        "decline": "abgelehnt|ablehnen|lehne ab|ich lehne ab|nein",
    },
    "French": {
        "approve": "approuvé|approuve|j'approuve|accordé|validé|oui",
        "decline": "refusé|refuse|je refuse|rejeté|non",
    },
    "Spanish": {
        "approve": "aprobado|aprobada|apruebo|sí",
        "decline": "rechazado|rechazada|rechazo|denegado",
    },
    "Italian": {
        "approve": "approvato|approvata|approvo|sì",
        "decline": "rifiutato|rifiutata|rifiuto|respinto",
    },
    "Dutch": {
        "approve": "goedgekeurd|akkoord|ja",
        "decline": "afgewezen|afgekeurd|geweigerd|nee",
    },
    "Portuguese": {
        "approve": "aprovado|aprovada|aprovo|sim",
        "decline": "recusado|recusada|recuso|rejeitado|rejeitada|não",
    },
    "Swedish": {
        "approve": "godkänd|godkänt|ja",
        "decline": "avslå|nej",
    },
    "Norwegian": {
        "approve": "godkjent|ja",
        "decline": "avslå|avslått|nei",
    },
    "Danish": {
        "approve": "godkendt|ja",
        "decline": "afvist|nej",
    },
    "Finnish": {
        "approve": "hyväksytty|hyväksyn|kyllä",
        "decline": "hylätty|hylkään",
    },
    "Polish": {
        "approve": "zatwierdzam|zatwierdzone|akceptuję",
        "decline": "odrzucam|odrzucone|nie",
    },
    "Czech": {
        "approve": "schváleno|schvaluji",
        "decline": "zamítnuto|zamítám",
    },
    "Russian": {
        "approve": "утверждаю|одобряю|одобрено|да",
        "decline": "отклоняю|отклонено|отказано|нет",
    },
    "Turkish": {
        "approve": "onaylandı|onaylıyorum|evet",
        "decline": "reddedildi|reddediyorum|hayır",
    },
    "Romanian": {
        "approve": "aprobat|aprob",
        "decline": "respins|resping",
    },
    "Hungarian": {
        "approve": "jóváhagyva",
        "decline": "elutasítva",
    },
    "Japanese": {
        "approve": "承認|承認します|はい",
        "decline": "却下|いいえ",
    },
    "Chinese": {
        "approve": "批准|同意",
        "decline": "拒绝|拒絕|不同意",
    },
    "Korean": {
        "approve": "승인|예",
        "decline": "거부|거절|아니요",
    },
}
# These words decide nothing. Below a decision they count as a possible contradiction, and then there is no decision.
AMBIGUOUS: dict[Decision, dict[str, str]] = {
    "approve": {
        "tak": "yes in Polish; thanks in Danish, so in Czech, roof in Swedish, branch in Dutch",
        "igen": "yes in Hungarian; again in Danish and Swedish",
    },
    "decline": {
        "nem": "no in Hungarian; easy in Danish",
        "avslag": "refusal in Swedish and Norwegian; a discount in Norwegian",
        "否認": "refusal in Japanese; to deny having done something in Chinese",
    },
}
_DECISIONS: dict[str, Decision] = {
    word: decision for lists in WORDS.values() for decision, words in lists.items() for word in words.split("|")
}
_PERHAPS: dict[str, Decision] = _DECISIONS | {word: decision for decision, words in AMBIGUOUS.items() for word in words}
# No quotation marks and no tildes, because a quoted or struck-out word is not the sender's answer. No comma and no
# colon, because more text follows.
_EDGES = " \t.!*_。！"
# Marks that may be beside a word of the same meaning, never beside one of the other.
_MARKS: dict[Decision, str] = {"approve": "✅👍✔\ufe0f", "decline": "❌👎✖\ufe0f"}
# "No" with such a line below it is one phrase, cut by the line end, and means yes.
_NO_WHAT = frozenset(["worries", "problem", "problems", "objection", "objections", "issue", "issues", "doubt"])


def decision_in(visible_text: str) -> Decision | None:
    """The decision on the first visible line; None for a sentence, a quotation, an empty text, or when a later line says
    the opposite."""
    first, *others = visible_text.strip()[:20_000].split("\n")
    decision = _alone(first[:200], _DECISIONS)
    opposite = decision and any(_alone(line[:200], _PERHAPS) not in (None, decision) for line in others)
    return None if opposite or _is_cut_phrase(first, others) else decision


def comment_in(visible_text: str) -> str:
    """The text after the decision word, from the second line on."""
    _, _, rest = visible_text.strip().partition("\n")
    return rest.strip()


def _alone(line: str, meanings: dict[str, Decision]) -> Decision | None:
    for decision, marks in _MARKS.items():
        if meanings.get(_bare(line, _EDGES + marks)) == decision:
            return decision
    return None


def _is_cut_phrase(first: str, others: list[str]) -> bool:
    return bool(others) and _bare(first, _EDGES) == "no" and _bare(others[0], _EDGES + ",;:") in _NO_WHAT


def _bare(line: str, edges: str) -> str:
    return " ".join(line.strip(edges).casefold().replace("’", "'").split())
