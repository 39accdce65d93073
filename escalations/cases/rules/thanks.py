"""Whether a message says nothing but thanks. Pure. Any word that is not on the list of one language makes it more than that,
so that a complaint is never taken for thanks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
LONGEST = 400


@dataclass(frozen=True)
class Courtesy:
    """The courteous words of a language: those that thank (one must be there), and those that may stand "
    "beside them."""

    language: str
    thanks: frozenset[str]
    beside: frozenset[str]


def _courtesy(language: str, thanks: str, beside: str) -> Courtesy:
    return Courtesy(language, frozenset(thanks.split()), frozenset(beside.split()))


LANGUAGES = (
    _courtesy(
        "English",
        "thanks thank thx ty cheers appreciated",
        "you a lot so very much many again all good great perfect super excellent fine everything is now "
        "works working fixed "
        "solved resolved for your the quick fast help support reply answer response update solution kind "
        "really we i it its it's "
        "that's that and to team everyone hi hello dear best regards kind warm wishes sincerely yours have "
        "nice day weekend "
        "appreciate highly ok okay wonderful awesome",
    ),
    _courtesy(
        "German",
        "danke dank dankeschön",
        "vielen herzlichen besten lieben schönen sehr schön nochmals nochmal für die das den ihre eure deine "
        "schnelle tolle hilfe "
        "antwort unterstützung lösung info alles ist jetzt nun wieder gut super prima perfekt bestens "
        "funktioniert läuft es uns "
        "ihnen euch dir wir hallo guten tag liebe lieber mit freundlichen grüßen grüssen viele liebe beste "
        "grüße gruß mfg lg vg "
        "und ein schönes wochenende ok passt team",
    ),
    _courtesy(
        "French",
        "merci remercie remercions",
        "beaucoup bien infiniment encore mille pour votre vos la le les l'aide aide réponse rapide rapidité "
        "soutien tout est "
        "va fonctionne maintenant parfait super bonjour bonne journée cordialement bien à vous nous vous je "
        "et de c'est ok équipe",
    ),
    _courtesy(
        "Spanish",
        "gracias agradezco agradecemos",
        "muchas mil muchísimas por su tu la el ayuda respuesta rápida apoyo está bien ahora funciona "
        "perfecto genial hola "
        "buenos días saludos cordiales un saludo de nuevo y excelente ok equipo",
    ),
    _courtesy(
        "Italian",
        "grazie ringrazio ringraziamo",
        "mille molte tante ancora per il la vostro vostra suo sua aiuto risposta veloce rapida supporto "
        "tutto bene ora funziona "
        "perfetto ottimo ciao buongiorno cordiali saluti buona giornata è ok team",
    ),
    _courtesy(
        "Portuguese",
        "obrigado obrigada agradeço agradecemos",
        "muito pela pelo sua seu a o ajuda resposta rápida apoio suporte tudo bem certo agora funciona "
        "perfeito ótimo olá bom dia "
        "atenciosamente cumprimentos está ok equipe",
    ),
    _courtesy(
        "Dutch",
        "bedankt dank dankjewel",
        "je u wel hartelijk heel erg veel voor de het uw jullie snelle hulp antwoord reactie alles is nu "
        "weer goed werkt perfect "
        "top hallo beste met vriendelijke groet groeten en ok team",
    ),
    _courtesy(
        "Swedish",
        "tack",
        "så mycket för hjälpen snabba svaret allt är bra nu fungerar perfekt hej vänliga hälsningar mvh ok",
    ),
    _courtesy(
        "Danish",
        "tak",
        "mange for hjælpen hurtige svar det svaret alt er godt nu virker perfekt hej venlig hilsen mvh ok",
    ),
    _courtesy(
        "Polish",
        "dziękuję dziękujemy dzięki",
        "bardzo serdecznie za pomoc szybką odpowiedź wszystko jest teraz działa dobrze "
        "super dzień dobry pozdrawiam pozdrowienia i ok",
    ),
    _courtesy(
        "Turkish",
        "teşekkürler teşekkür sağolun",
        "çok ederim ederiz için yardımınız hızlı her şey iyi şimdi çalışıyor merhaba saygılarımla iyi günler ok",
    ),
    _courtesy(
        "Russian",
        "спасибо благодарю благодарим",
        "большое огромное вам за помощь быстрый ответ все всё хорошо теперь "
        "работает отлично здравствуйте добрый день с уважением и ок",
    ),
)
# Languages without spaces between words.
WHOLE = {
    "Japanese": (
        "ありがとうございました ありがとうございます ありがとう 助かりました どうも "
        "お世話になっております よろしくお願いいたします よろしくお願いします"
    ).split(),
    "Chinese": "非常感谢 多谢 谢谢你们 谢谢您 谢谢 感谢您的帮助 感谢 謝謝 您好 你好".split(),
    "Korean": "대단히 정말 감사합니다 감사드립니다 고맙습니다 안녕하세요".split(),
}
# These alone thank nobody.
GREETED_ONLY = frozenset(
    (
        "どうも お世話になっております よろしくお願いいたします よろしくお願いします 您好 你好 대단히 정말 안녕하세요"
    ).split()
)


def only_thanks(text: str, names: Iterable[str] = ()) -> str:
    """The rule by which the text says nothing but thanks, such as “Only thanks (English)”; empty if it says more. `names`: of
    the people and the company, which may stand in a greeting or a signature."""
    plain = text.strip().lower()
    if not plain or len(plain) > LONGEST or re.search(r"[?？\d]", plain):
        return ""
    known = {word for name in names for word in WORD.findall(name.lower())}
    words = [word for word in WORD.findall(plain.replace("’", "'")) if word not in known]
    for each in LANGUAGES:
        if each.thanks & set(words) and set(words) <= each.thanks | each.beside:
            return f"Only thanks ({each.language})"
    return _whole(plain, known)


def _whole(plain: str, known: set[str]) -> str:
    for language, phrases in WHOLE.items():
        rest, thanked = plain, False
        for phrase in sorted([*phrases, *known], key=len, reverse=True):
            thanked |= phrase in rest and phrase in phrases and phrase not in GREETED_ONLY
            rest = rest.replace(phrase, "")
        if thanked and not WORD.search(rest):
            return f"Only thanks ({language})"
    return ""
