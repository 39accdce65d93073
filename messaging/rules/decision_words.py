"""A decision given by mail is one word alone on the first line. Anything else is no decision."""

from typing import Literal

Decision = Literal["approve", "decline"]

_APPROVE = """approve|approved|i approve|yes approved|genehmigt|genehmige|ich genehmige|freigegeben|zugestimmt|bewilligt
|approuvé|approuve|j'approuve|accordé|validé|aprobado|aprobada|apruebo|approvato|approvata|approvo|goedgekeurd|akkoord
|aprovado|aprovada|aprovo|godkänd|godkänt|godkjent|godkendt|hyväksytty|hyväksyn|zatwierdzam|zatwierdzone|akceptuję
|schváleno|schvaluji|утверждаю|одобряю|одобрено|onaylandı|onaylıyorum|aprobat|aprob|jóváhagyva|承認|承認します|批准|同意|승인"""
_DECLINE = """decline|declined|i decline|reject|rejected|i reject|deny|denied|abgelehnt|ablehnen|lehne ab|ich lehne ab
|refusé|refuse|je refuse|rejeté|rechazado|rechazada|rechazo|denegado|rifiutato|rifiutata|rifiuto|respinto|afgewezen
|afgekeurd|geweigerd|recusado|recusada|recuso|rejeitado|rejeitada|avslag|avslå|avslått|afvist|hylätty|hylkään|odrzucam
|odrzucone|zamítnuto|zamítám|отклоняю|отклонено|отказано|reddedildi|reddediyorum|respins|resping|elutasítva|却下|否認|拒绝|拒絕|거부|거절"""


def _words(spec: str, decision: Decision) -> dict[str, Decision]:
    return {word.strip(): decision for word in spec.split("|")}


_DECISIONS = _words(_APPROVE, "approve") | _words(_DECLINE, "decline")
_EDGES = " \t.,!:;*_~\"'()[]«»“”„。！，、✅👍❌"


def decision_in(visible_text: str) -> Decision | None:
    """The decision on the first visible line; None for a sentence, a quotation, or an empty text."""
    return _DECISIONS.get(_bare(_first_line(visible_text)))


def comment_in(visible_text: str) -> str:
    """What follows the decision word, from the second line on."""
    _, _, rest = visible_text.strip().partition("\n")
    return rest.strip()


def _first_line(text: str) -> str:
    return text.strip()[:200].partition("\n")[0]


def _bare(line: str) -> str:
    return " ".join(line.strip(_EDGES).casefold().replace("’", "'").split())
