"""A decision given by mail is one word alone on the first line. Anything else is no decision."""

from typing import Literal

Decision = Literal["approve", "decline"]

_APPROVE = """approve|approved|i approve|yes|yes approved|yes approve|genehmigt|genehmige|ich genehmige|freigegeben|zugestimmt
|bewilligt|ja|approuvé|approuve|j'approuve|accordé|validé|oui|aprobado|aprobada|apruebo|sí|approvato|approvata|approvo|sì
|goedgekeurd|akkoord|aprovado|aprovada|aprovo|sim|godkänd|godkänt|godkjent|godkendt|hyväksytty|hyväksyn|kyllä|zatwierdzam
|zatwierdzone|akceptuję|tak|schváleno|schvaluji|утверждаю|одобряю|одобрено|да|onaylandı|onaylıyorum|evet|aprobat|aprob
|jóváhagyva|igen|承認|承認します|はい|批准|同意|승인|예"""
_DECLINE = """decline|declined|i decline|reject|rejected|i reject|deny|denied|no|no declined|no rejected|abgelehnt|ablehnen
|lehne ab|ich lehne ab|nein|refusé|refuse|je refuse|rejeté|non|rechazado|rechazada|rechazo|denegado|rifiutato|rifiutata|rifiuto
|respinto|afgewezen|afgekeurd|geweigerd|nee|recusado|recusada|recuso|rejeitado|rejeitada|não|avslag|avslå|avslått|nej|nei
|afvist|hylätty|hylkään|odrzucam|odrzucone|nie|zamítnuto|zamítám|отклоняю|отклонено|отказано|нет|reddedildi|reddediyorum
|hayır|respins|resping|elutasítva|nem|却下|否認|いいえ|拒绝|拒絕|不同意|거부|거절|아니요"""


def _words(spec: str, decision: Decision) -> dict[str, Decision]:
    return {word.strip(): decision for word in spec.split("|")}


_DECISIONS = _words(_APPROVE, "approve") | _words(_DECLINE, "decline")
# No quotation marks and no tildes: a word that is quoted or struck out is not said. No comma and no colon: more follows.
_EDGES = " \t.!*_。！"
# Marks that may stand beside a word of their own kind, never beside the other.
_MARKS: dict[Decision, str] = {"approve": "✅👍✔\ufe0f", "decline": "❌👎✖\ufe0f"}


def decision_in(visible_text: str) -> Decision | None:
    """The decision on the first visible line; None for a sentence, a quotation, an empty text, or when a later line says
    the opposite."""
    first, *others = visible_text.strip()[:20_000].split("\n")
    decision = _alone(first[:200])
    opposite = decision and any(_alone(line[:200]) not in (None, decision) for line in others)
    return None if opposite else decision


def comment_in(visible_text: str) -> str:
    """What follows the decision word, from the second line on."""
    _, _, rest = visible_text.strip().partition("\n")
    return rest.strip()


def _alone(line: str) -> Decision | None:
    for decision, marks in _MARKS.items():
        if _DECISIONS.get(_bare(line, _EDGES + marks)) == decision:
            return decision
    return None


def _bare(line: str, edges: str) -> str:
    return " ".join(line.strip(edges).casefold().replace("’", "'").split())
