"""The weighted risk phrases that are searched in a customer's text.

Each row is a kind, a weight from 0 (a hint) to 1 (act now) and patterns. In a pattern a space matches a short run of
white space. Matching ignores case and starts and ends at word boundaries; apostrophes are made straight first.
Airlines' customers cancel flights and shoppers cancel orders every day: a cancellation counts if it is about a
contract, renewal, subscription or account, or if somebody writes "we will cancel" without such an everyday object.
"""

import re
from typing import NamedTuple

_CONTRACT = (
    r"(?:contracts?|agreements?|subscriptions?|renewals?|accounts?|services?|licen[cs]es?|memberships?|plans?|msa|"
    r"partnership|relationship)"
)
_OUR = r"(?:our|my|the|this|your|all our|all of our|their)"
_EVERYDAY = (
    r"(?! (?:(?:the|my|our|this|that|your|a|an|his|her|tomorrow's|today's|it|all) )?(?:\w+ )?(?:flights?|reservations?|"
    r"orders?|meetings?|calls?|trips?|appointments?|bookings?|tickets?|hotels?|rooms?|cards?|purchases?|shipments?|"
    r"deliver(?:y|ies)|demos?|invites?|invitations?|sessions?|transfers?|payments?|checks?|transactions?|workshops?|"
    r"items?|rides?|seats?|lunch|dinner|class(?:es)?|visits?|request|job|task|upload|download)\b)"
)
_INTEND = (
    r"(?:(?:'ll|'d)(?: (?!not|never)\w+)?|(?:'re| are|'m| am|'ve| have)?(?: will| would| shall| may| might| must|"
    r" going to| want to| like to| have to|"
    r" need to|"
    r" intend to| plan to| planning to| considering| thinking of| thinking about| decided to| have decided to| now|"
    r" ready to| prepared to| about to| have no choice but to| be forced to| forced to| have no option but to|"
    r" immediately| also| simply| just| then| be| looking to){1,4})"
)
_CHIEF = (
    r"(?:ceo|cfo|coo|cto|cio|ciso|cro|cpo|chief \w+(?: officer)?|president|vice president|[se]?vp|board|chair(?:man|"
    r"woman)?|"
    r"executives?|executive (?:team|sponsor|office)|leadership(?: team)?|(?:senior|upper|top) management|"
    r"managing director)"
)
_RIVAL = r"(?:competitors?|competition|vendors?|suppliers?|providers?|alternatives?|platforms?|solutions?|carriers?)"
_DAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_NUMBER = r"(?:\d{1,3}|one|two|three|four|five|six|seven|ten|twelve|twenty[- ]four|forty[- ]eight)"


class PhraseRule(NamedTuple):
    """One compiled row: the kind of risk of its patterns and the weight of each match."""

    kind: str
    weight: float
    pattern: re.Pattern[str]


def _rule(kind: str, weight: float, *patterns: str) -> PhraseRule:
    joined = "|".join(patterns).replace(" ", r"\s{1,4}")
    return PhraseRule(kind, weight, re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE))


PHRASE_RULES: tuple[PhraseRule, ...] = (
    _rule(
        "cancellation",
        0.9,
        rf"cancel(?:l?ing|l?ed)? (?:{_OUR} )?(?:\w+ )?{_CONTRACT}",
        rf"cancellation of (?:{_OUR} )?(?:\w+ )?{_CONTRACT}",
        rf"(?:we|i)(?:{_INTEND} cancel|(?:'re| are|'m| am| will be)(?: now| also| considering)? cancel+ing){_EVERYDAY}",
        rf"terminat(?:e|es|ed|ing|ion of) (?:{_OUR} )?(?:\w+ )?{_CONTRACT}",
        r"(?:notice of|formal) (?:termination|cancellation|non-?renewal)",
        r"(?:termination|cancellation|non-?renewal) notice",
        r"(?:(?:will|would|shall|do|does|did|is|are|am) not|won't|wouldn't|don't|aren't|isn't|decided not to|not to|"
        r"no longer|never) (?:be |plan to |intend to |planning to |going to |want to |expect to )?renew(?:ing)?",
        r"not (?:be |going to |planning to )?renew(?:ing)? (?:our|the|this|my|your|with)",
        rf"let (?:{_OUR} )?(?:\w+ )?{_CONTRACT} (?:lapse|expire|run out)",
        rf"(?:end|ending|exit|exiting|get out of|opt out of|walk away from) {_OUR} "
        r"(?:\w+ )?(?:contract|agreement|subscription|partnership|relationship|renewal|deal)",
        r"(?:our )?right to terminate",
        r"clos(?:e|ing) (?:our|my) accounts?",
    ),
    _rule(
        "legal",
        0.95,
        r"legal (?:action|proceedings|steps|recourse|remed(?:y|ies)|claims?|threats?|consequences|dispute|notice)",
        r"su(?:e|ing) (?:you|your|them|the company|over|for)",
        r"lawsuits?|litigat(?:e|ing|ion)|class action|cease and desist|letter before action|demand letter|subpoena",
        r"(?:material )?breach of (?:the |our |this |your )?(?:\w+ )?(?:contract|agreement|warranty|sla|terms|"
        r"obligations?)",
        r"material breach|in breach of|breach(?:ed|es|ing)? (?:the|our|your|this) (?:\w+ )?(?:contract|agreement|sla|"
        r"terms)",
        r"(?:tak(?:e|ing)|see(?:ing)?) (?:you|this|them) (?:to|in) court|(?:go|going) to court|small claims",
        r"notice of (?:default|breach|claim)|formal notice|(?:claim|claiming|seek|seeking|sue for) damages",
        r"hold(?:ing)? you (?:fully |personally )?(?:liable|responsible)|"
        r"reserve (?:all )?(?:of )?our (?:legal )?rights",
    ),
    _rule(
        "legal",
        0.6,
        r"(?:our|my|an?|with) (?:\w+ )?(?:lawyers?|attorneys?|solicitors?|law firm)",
        r"our (?:general |outside |legal )?counsel|legal (?:team|department|counsel|issues?|matters?|exposure|risk)",
        r"arbitration|liquidated damages",
    ),
    _rule(
        "executive_complaint",
        0.85,
        rf"escalat(?:e|ed|ing) (?:\w+ ){{0,4}}(?:to|with) (?:your|our|the) (?:\w+ )?{_CHIEF}",
        rf"(?:speak|talk|writ(?:e|ing)|wrote|complain(?:t|ing)?|letter|reach(?:ing)? out|tweet(?:ing)?) (?:directly )?"
        rf"(?:to|with) (?:your|our|the) (?:\w+ )?{_CHIEF}",
        rf"(?:contact|email|e-mail|call|inform|copy|cc)(?:ing)? your (?:\w+ )?{_CHIEF}",
        rf"(?:our|my) (?:\w+ )?{_CHIEF} (?:is|are|has|have|wants?|will|was|were|asked|asks|demands?|expects?|insists?|"
        r"(?:is|are) (?:now )?(?:furious|angry|unhappy|involved|asking|upset))",
        r"executive complaint|complaint to (?:your )?(?:management|head office|headquarters)",
    ),
    _rule("executive_complaint", 0.5, r"(?:formal|official|written) complaint", r"want to complain|file a complaint"),
    _rule(
        "executive_complaint",
        0.35,
        r"(?:speak|talk) (?:to|with) (?:a|your|the|someone's) (?:manager|supervisor|boss|superior)",
    ),
    _rule(
        "chargeback",
        0.8,
        r"charge-?backs?|charge back",
        r"disput(?:e|ed|ing) (?:the |this |these |all |your |our |my |a |that )?(?:\w+ )?(?:charges?|invoices?|"
        r"payments?|"
        r"transactions?|bills?)",
        r"(?:withhold(?:ing)?|suspend(?:ing)?|stop(?:ping)?) (?:all )?(?:further |future )?payments?",
        r"(?:refuse to|will not|won't|not going to|are not|we're not) pay(?:ing)?(?: (?:the|this|your|for|you|any|"
        r"until))",
        r"reverse (?:the|this|these) (?:charges?|payments?)",
    ),
    _rule(
        "regulatory",
        0.85,
        r"(?:report(?:ing|ed)?|complain(?:t|ts|ing|ed)?|filed|filing|going) (?:\w+ ){0,3}(?:to|with) (?:the )?(?:fcc|"
        r"ftc|cfpb|"
        r"ico|bbb|sec|fca|faa|dot|ombudsman|regulators?|better business bureau|attorney general|authorities|"
        r"data protection \w+|consumer protection)",
        r"regulators?|regulatory (?:complaint|bod(?:y|ies)|breach|action|authority|filing|issue|violation|exposure|"
        r"fine)",
        r"ombudsman|better business bureau|attorney general|data protection authority",
        r"(?:gdpr|hipaa|sox|pci|ccpa)(?: \w+)? (?:violations?|breach(?:es)?|complaint|fine|issue|exposure)",
        r"non-?complian(?:t|ce)|audit findings?|compliance (?:violation|breach|failure)",
    ),
    _rule(
        "security",
        0.85,
        r"(?:security|data|privacy) (?:breach(?:es)?|incidents?|leaks?|vulnerabilit(?:y|ies)|exposure|hole|flaw|"
        r"issues?)",
        r"breach of (?:security|privacy|confidentiality|(?:our |personal |customer )?data)",
        r"(?:data|credentials|passwords?|records|accounts?) (?:was|were|is|are|has been|have been|"
        r"got) (?:\w+ )?(?:leaked|"
        r"exposed|stolen|compromised|hacked|hijacked)",
        r"ransomware|hacked|unauthori[sz]ed (?:access|charges?|transactions?|users?)|compromised (?:accounts?|"
        r"credentials)",
    ),
    _rule(
        "churn",
        0.75,
        rf"(?:switch(?:ing|ed)?|mov(?:e|ing|ed)|go(?:ing)?|migrat(?:e|ing)|chang(?:e|ing)) (?:\w+ ){{0,3}}to "
        rf"(?:a|an|another|your|one of your|the|other|some other|different)(?: \w+)? {_RIVAL}",
        rf"(?:look(?:ing)?|shop(?:ping)?|search(?:ing)?) (?:at|for|into|around for) (?:other|another|alternative|new|"
        rf"an?|your)"
        rf"(?: \w+)? {_RIVAL}",
        rf"evaluat(?:e|ing) (?:other|alternative|competing|your|alternatives|new|replacements?)(?: {_RIVAL})?",
        r"(?:our|my) business elsewhere|go(?:ing)? elsewhere|(?:look|looking) elsewhere",
        r"(?:los(?:e|t|ing)) (?:us|me|a|another|our)(?: as an?)?(?: \w+)? (?:customers?|clients?|business)",
        r"leav(?:e|ing) (?:you|your (?:company|platform|service|product)|for (?:a|your|another))",
        r"never (?:\w+ ){1,4}again|last time (?:we|i|i'll|i'm|we'll)(?: ever)?",
        r"(?:replac(?:e|ing)|migrat(?:e|ing) (?:off|away from)|ditch(?:ing)?) (?:you|your|yours)(?: \w+)?",
        r"re-?consider(?:ing)? (?:our|the|this|my) (?:\w+ )?(?:relationship|renewal|partnership|contract|business|"
        r"options)",
        r"done (?:with (?:you|your|this)|doing business)|walk(?:ing)? away|part ways|no longer (?:a|your) customer",
    ),
    _rule(
        "unacceptable",
        0.55,
        r"(?:totally |completely |simply |absolutely )?unacceptable|(?:not|isn't|is not|wasn't|hardly|"
        r"never) acceptable",
        r"inexcusable|intolerable|unprofessional|outrageous|disgraceful|appalling|unsatisfactory|ridiculous",
        r"out of patience|fed up|(?:last|final) straw|enough is enough|had (?:more than )?enough|"
        r"sick (?:and tired )?of",
        r"worst (?:\w+ ){0,2}(?:service|support|experience|company|airlines?|vendor|supplier|provider|flight|ever)",
        r"(?:extremely|very|deeply|so|really|beyond|incredibly|super) (?:disappoint\w+|frustrat\w+|dissatisfied|"
        r"unhappy|upset|"
        r"angry|annoy\w+)",
    ),
    _rule(
        "trust",
        0.6,
        r"(?:lost|losing|lose|no|lack of|eroded) (?:all |any |our |my )?(?:confidence|faith|trust|patience)(?: in)?",
        r"(?:broken|empty|false) promises?|(?:lied|lying) to|misled|mislead(?:ing)?|let (?:us|me) down|promised but",
    ),
    _rule(
        "hostile",
        0.6,
        r"idiots?|incompeten(?:t|ce)|liars?|scam(?:s|mers?|med)?|rip-?offs?|ripped off|thieves|crooks?|useless|"
        r"pathetic",
        r"garbage|crap(?:py)?|bullshit|wtf|f+u+c+k\w{0,6}|shit\w{0,5}|screw(?:ed|ing)? (?:you|us|me|up|over)|stfu",
        r"(?:an absolute |a complete |a total |a |such a )joke|disgust(?:ed|ing)|shame on (?:you|them)|how dare you|"
        r"stupid",
        r"(?:i|we) hate|(?:you|they) suck|sucks|clowns?|morons?|laughable|shameful",
    ),
    _rule(
        "outage",
        0.45,
        r"outages?|downtime|data loss|(?:is|are|was|been|went|completely|still|totally) (?:down|offline|unavailable)",
        r"keeps? (?:crashing|failing|dropping|freezing)|(?:crash(?:ed|es|ing))",
        r"(?:doesn't|does not|isn't|is not|not|stopped|never|won't|don't|didn't) work(?:s|ing|ed)?|broken",
        r"(?:lost|missing) (?:all )?(?:of )?(?:our|my) (?:data|bags?|luggage|records|files|orders?)",
    ),
    _rule(
        "no_response",
        0.35,
        r"(?:no|without (?:any|a)|never (?:got|received|had)(?: an?| any)?|(?:not|haven't|"
        r"never)(?: yet)? received(?: an?| any)?|"
        r"still (?:no|waiting for|awaiting)(?: an?| any)?|awaiting(?: an?)?) (?:response|reply|answers?|updates?|"
        r"feedback|"
        r"call ?back|explanation|resolution|solution)",
        r"(?:haven't|have not|hasn't|not|never) (?:yet )?(?:heard|called|responded|replied|answered|"
        r"gotten back)(?: back)?",
        r"(?:nobody|no ?one) (?:\w+ )?(?:answers?|responds?|replies|picks up|calls?|cares?|knows|helps?|available|"
        r"tells?)",
        r"on hold (?:for|with|since|over|again)|been on hold|(?:hung|hangs?|hanging) up on|left waiting|still waiting",
        r"been (?:waiting|trying|sitting|stuck)|being ignored|ignor(?:ed|ing|es?) (?:us|me|our|my|the|this)",
        r"(?:can't|cannot|couldn't|unable to) (?:even )?(?:get|reach|speak|talk|access|log ?in|contact|find|change|"
        r"book)",
    ),
    _rule(
        "repeat_contact",
        0.3,
        r"(?:second|third|fourth|fifth|2nd|3rd|[4-9]th|umpteenth|nth) (?:time|request|attempt|ticket|email|e-mail|"
        r"call)",
        r"(?:yet again|again and again|over and over|time and again|once again)",
        rf"(?:multiple|several|numerous|many|countless|{_NUMBER}) (?:times|calls|emails|e-mails|attempts|tickets|"
        rf"messages)",
        r"same (?:issue|problem|error|thing|question) (?:again|keeps|persists|is back|still)|keeps? happening|"
        r"recurring",
        r"for (?:weeks|months|days|hours|over an?|over \w+)|for (?:the )?(?:past|last) (?:\w+ )?(?:hours|days|weeks|"
        r"months)",
    ),
    _rule(
        "refund",
        0.2,
        r"(?:full |partial |immediate )?refund(?:s|ed|ing)?(?! (?:polic(?:y|ies)|process|status))",
        r"(?:my|our|your) money back|re-?imburse(?:ment|d)?|compensat(?:e|ed|ion)",
        r"(?:service|sla|account|goodwill) credits?|credit (?:note|memo|of)",
    ),
    _rule(
        "deadline",
        0.15,
        rf"by (?:the )?(?:end of (?:the |this )?(?:day|business|week|month|quarter)|eod|cob|close of business|tomorrow|"
        rf"tonight|noon|(?:this |next )?{_DAY})",
        rf"within (?:the )?(?:next )?{_NUMBER} (?:business |working )?(?:hours?|days?)|no later than|"
        rf"before (?:the )?renewal",
        r"final (?:notice|deadline|warning|chance|offer)|ultimatum|last chance|hard deadline",
    ),
)
