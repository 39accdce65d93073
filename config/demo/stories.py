"""What cases are about: titles, customers' words, options and endings for every issue type. {braces} are filled per case."""

from typing import NamedTuple


class Variant(NamedTuple):
    """One way an issue shows: title, issue, impact, and the customer's own words."""

    title: str
    issue: str
    impact: str
    words: str


class Story(NamedTuple):
    """What the cases of an issue type share. Amounts are a range with a step; weight is the share of all cases."""

    weight: int
    variants: tuple[Variant, ...]
    support: str
    recommendation: str
    grant: str
    cost: str
    keep: str
    causes: tuple[str, ...]
    resolution: str
    proof: str
    outcomes: tuple[str, ...]
    concession: str = ""
    amounts: tuple[int, int, int] = (0, 0, 1)


PRODUCTS = (
    "Atlas reporting", "the Harbor connector", "the Beacon portal", "Relay messaging", "the planning module",
    "the mobile app", "the data export", "single sign-on", "the audit log", "the pricing engine",
)  # fmt: skip

STORIES: dict[str, Story] = {
    "discount-beyond-limit": Story(
        weight=20,
        variants=(
            Variant(
                "{amount} off asked before the renewal of {account}",
                "{account} asks for {amount} off {product}. A rival has put an offer on their table.",
                "The renewal does not close this quarter without a number we stand behind.",
                "We like working with you, but the other offer is well below yours. We need {amount} or we have to look elsewhere.",
            ),
            Variant(
                "Price increase contested: {amount} discount requested",
                "Procurement of {account} refuses the yearly uplift on {product} and asks for {amount}.",
                "Signature is held back and expansion talks are on ice.",
                "The new price is unacceptable given what we were promised last year. We expect {amount}.",
            ),
            Variant(
                "Budget cut at {account}, {amount} needed to keep the seats",
                "{account} lost part of its budget and would drop a third of the seats without {amount} off.",
                "About a third of the ARR leaves at renewal.",
                "Our budget was cut by the board. With {amount} we can keep everyone on {product}.",
            ),
        ),
        support="A decision on the discount, with what we get in return.",
        recommendation="Grant {amount} for a three-year term with a reference call.",
        grant="Grant {amount} for three years",
        cost="Margin falls for three years; other accounts may ask",
        keep="We keep the margin and probably lose the renewal",
        causes=(
            "List price above market",
            "Discount promised by sales",
            "Late renewal talk",
            "Budget cut at the customer",
        ),
        resolution="{account} signed at {amount} off for three years.",
        proof="Order form OF-{number}",
        outcomes=("renewed", "signed", "saved", "declined", "lost"),
        concession="discount",
        amounts=(6, 26, 2),
    ),
    "renewal-at-risk": Story(
        weight=14,
        variants=(
            Variant(
                "{account} may not renew: sponsor left",
                "The sponsor of {product} at {account} left and the successor questions the contract.",
                "Nobody at the customer defends the renewal.",
                "I took over last month and I do not see what we get from {product}. We consider cancelling the contract.",
            ),
            Variant(
                "Low use of {product} puts the renewal of {account} at risk",
                "Fewer than half of the seats of {account} were used this quarter.",
                "The customer calls the value into question ahead of the renewal.",
                "People here stopped using it after the last change. We are very disappointed.",
            ),
            Variant(
                "{account} compares two rivals ahead of renewal",
                "{account} runs a formal comparison with two rivals and asks for our best terms.",
                "We hear from them through procurement only.",
                "We have started a comparison and will decide without you if we do not hear a plan soon.",
            ),
        ),
        support="An executive who speaks with their new sponsor, and terms we can offer.",
        recommendation="Offer {amount} with a success plan of 60 days and a named executive contact.",
        grant="{amount} and a success plan",
        cost="Two weeks of a success manager and some margin",
        keep="They decide on their own and we hear it from procurement",
        causes=("Sponsor left", "Low adoption after rollout", "Value not shown", "Late renewal talk"),
        resolution="{account} renewed with a success plan and monthly reviews.",
        proof="Signed renewal R-{number}",
        outcomes=("renewed", "saved", "renewed", "lost"),
        concession="discount",
        amounts=(6, 20, 2),
    ),
    "refund-credit": Story(
        weight=12,
        variants=(
            Variant(
                "Refund of {amount} for a failed migration",
                "The migration of {account} to {product} failed twice and they want {amount} back.",
                "Their team worked two weekends for nothing.",
                "The migration failed again. We demand a refund of {amount} for the lost weekends.",
            ),
            Variant(
                "{account} wants {amount} back for unused seats",
                "{account} paid for seats that were never provisioned.",
                "Finance of the customer has stopped paying other invoices.",
                "We were charged for seats nobody could use. Please refund {amount}.",
            ),
            Variant(
                "Duplicate charge, {account} asks for {amount}",
                "{product} was charged twice over four months.",
                "They count it as a second strike after the summer.",
                "This is the second wrong charge this year. We expect {amount} back now.",
            ),
        ),
        support="Approval of the refund and a sentence we can send.",
        recommendation="Refund {amount} and close the cause with billing.",
        grant="Refund {amount}",
        cost="Revenue of the quarter falls by the amount",
        keep="They hold back other invoices and tell others",
        causes=("Migration not rehearsed", "Seats billed before provisioning", "Duplicate charge", "Wrong price list"),
        resolution="{amount} was paid back and the cause is fixed.",
        proof="Credit note CN-{number}",
        outcomes=("credited", "credited", "saved", "declined"),
        concession="refund",
        amounts=(800, 11600, 100),
    ),
    "billing-dispute": Story(
        weight=12,
        variants=(
            Variant(
                "Invoice of {account} contested over usage of {product}",
                "{account} disputes the overage of {product} and asks for a credit of {amount}.",
                "Four invoices are unpaid until it is settled.",
                "Your usage numbers do not match ours. We will not pay until you correct them.",
            ),
            Variant(
                "Wrong entity billed at {account}, credit of {amount} asked",
                "The invoice went to an entity that was closed in spring.",
                "Their books are closing and the amount hangs between two companies.",
                "You keep billing a company that no longer exists. Please credit {amount} and bill us properly.",
            ),
            Variant(
                "{account} refuses the late fee of {amount}",
                "A late fee was charged although the invoice came three weeks late.",
                "Accounts payable marks us as a difficult supplier.",
                "A late fee for an invoice that you sent late? This is unacceptable.",
            ),
        ),
        support="A corrected invoice and a credit we agree on.",
        recommendation="Credit {amount} and send a corrected invoice this week.",
        grant="Credit {amount}",
        cost="The quarter shows the credit",
        keep="The invoices stay unpaid",
        causes=("Usage counted twice", "Wrong entity in billing", "Invoice sent late", "Wrong price list"),
        resolution="A credit of {amount} was booked and the invoice corrected.",
        proof="Credit note CN-{number}",
        outcomes=("credited", "fixed", "declined"),
        concession="credit",
        amounts=(200, 6000, 50),
    ),
    "payment-terms-dispute": Story(
        weight=8,
        variants=(
            Variant(
                "{amount} payment terms, no movement in the live session",
                "{account} asks for {amount} and both sides left the session where they began.",
                "Cash of a large invoice moves into the next quarter.",
                "Our policy is {amount}. We said so three times and nothing moved.",
            ),
            Variant(
                "{account} pays late and wants {amount} written into the contract",
                "{account} pays after 70 days and asks to make {amount} official.",
                "Days outstanding pass the limit of our covenant.",
                "We pay every supplier at {amount}. Please change the contract.",
            ),
        ),
        support="A decision on the terms before the invoice goes out.",
        recommendation="Agree to {amount} against yearly prepayment of half.",
        grant="Agree to {amount} with half prepaid",
        cost="Half of the cash comes later",
        keep="They pay late anyway and the invoice is disputed",
        causes=("Customer's payment policy", "Terms not in the order form", "Live session without mandate"),
        resolution="{amount} with half prepaid, signed by both sides.",
        proof="Amendment A-{number}",
        outcomes=("signed", "declined", "signed"),
        concession="payment-terms",
        amounts=(45, 90, 15),
    ),
    "contract-exception": Story(
        weight=11,
        variants=(
            Variant(
                "Liability cap of {amount} asked by {account}",
                "Counsel of {account} insists on a cap of {amount}; our standard is the fees of 12 months.",
                "Three rounds went by without movement.",
                "We cannot sign with your cap. We need {amount}, as every other supplier accepts.",
            ),
            Variant(
                "{account} rejects our limitation clause, wants {amount}",
                "The limitation clause was struck out in the third draft of {account}.",
                "The rollout of {product} waits for the signature.",
                "Our counsel struck the clause again. Without {amount} there is no signature.",
            ),
            Variant(
                "Redlines on liability stall the {account} contract",
                "{account} returned the contract with a cap of {amount} and no further comment.",
                "The start date of the project is at risk.",
                "Please see our redlines. The cap of {amount} is not up for discussion.",
            ),
        ),
        support="A position on the cap, and who may say yes.",
        recommendation="Offer {amount} with an exclusion for indirect damage.",
        grant="Cap at {amount}, indirect damage excluded",
        cost="More exposure for the term of the contract",
        keep="They will not sign and the start slips",
        causes=("Standard clause outdated", "Counsel involved late", "Playbook has no fallback clause"),
        resolution="Signed with a cap of {amount} and an exclusion for indirect damage.",
        proof="Countersigned contract C-{number}",
        outcomes=("signed", "signed", "lost"),
        concession="liability-cap",
        amounts=(6, 24, 3),
    ),
    "technical-outage": Story(
        weight=7,
        variants=(
            Variant(
                "{product} down for {account} since the morning",
                "All users of {account} get errors in {product}; the status page says green.",
                "Their service desk stands still.",
                "{product} has been down since this morning and nobody tells us anything. This is a disaster for us.",
            ),
            Variant(
                "Data of {account} arrives hours late in {product}",
                "Imports of {account} queue up and finish hours late.",
                "Month-end closing of the customer is at risk.",
                "Our numbers are hours late again. We cannot close the month like this.",
            ),
        ),
        support="An incident lead and a time we can tell the customer.",
        recommendation="Fail over now, explain the cause within two days.",
        grant="Fail over to the second site",
        cost="Reports lag for an hour",
        keep="Users stay locked out until the fix is tested",
        causes=("Certificate expired", "Queue without back-pressure", "Change without rehearsal"),
        resolution="Service was restored and the cause was explained in writing.",
        proof="Incident report INC-{number}",
        outcomes=("fixed",),
    ),
    "scope-cost-variance": Story(
        weight=6,
        variants=(
            Variant(
                "Onboarding of {account} runs over budget",
                "The onboarding of {account} needs more days than sold; the plan of {product} was too small.",
                "The project is above its budget by more than a tenth.",
                "We were told this was included. Now you ask for more money?",
            ),
            Variant(
                "Extra interfaces for {account} were never priced",
                "{account} counts on three interfaces that are not in the order.",
                "Delivery works without a purchase order.",
                "The interfaces were part of the demo, so they are part of the contract.",
            ),
        ),
        support="A decision on who pays for the extra days.",
        recommendation="Share the extra days and freeze the scope in writing.",
        grant="Share the cost and freeze the scope",
        cost="Our half of the extra days",
        keep="Work stops and the go-live slips",
        causes=("Scope sold too small", "Interfaces not listed in the order", "Plan without buffer"),
        resolution="Costs were shared and the scope is frozen.",
        proof="Change order CO-{number}",
        outcomes=("fixed", "signed"),
    ),
    "vip-at-risk": Story(
        weight=5,
        variants=(
            Variant(
                "{account} loses trust after a third reopening",
                "The same defect of {product} came back for the third time and their COO wrote to ours.",
                "A strategic account asks whether we are the right partner.",
                "This is the third time. I expect to hear from your executive team, not from a ticket.",
            ),
            Variant(
                "Executive complaint from {account}",
                "The CFO of {account} complains about the pace of {product} and the tone of our answers.",
                "Expansion is off the table until somebody senior calls.",
                "I am extremely unhappy with how we are treated. Who is responsible for this?",
            ),
        ),
        support="A call by our executive within a day.",
        recommendation="Call today, name one owner and a plan with dates; offer {amount} for the trouble.",
        grant="{amount} and a plan with one owner",
        cost="Executive time and the credit",
        keep="The account goes to tender",
        causes=("Defect fixed without its cause", "Too many contacts", "Status not shared"),
        resolution="Plan accepted after two calls; {account} stays.",
        proof="Minutes of the call M-{number}",
        outcomes=("saved", "renewed"),
        concession="credit",
        amounts=(4000, 60000, 1000),
    ),
    "compliance-exception": Story(
        weight=3,
        variants=(
            Variant(
                "Data residency clause of {account} needs a risk acceptance",
                "{account} demands that data of {product} stays in its country; one sub-processor does not.",
                "Their regulator asks for an answer in writing.",
                "Our regulator will not accept this. We need the legal position in writing.",
            ),
            Variant(
                "Audit finding at {account} names our log retention",
                "An auditor of {account} found that {product} keeps logs longer than agreed.",
                "The finding must be answered before their report is closed.",
                "The auditor raised a compliance breach. We need your answer before the report closes.",
            ),
        ),
        support="A written risk acceptance or a way to comply.",
        recommendation="Accept the risk for six months while the sub-processor moves.",
        grant="Accept the risk for six months",
        cost="Exposure until the move is done",
        keep="The contract cannot be used for regulated data",
        causes=("Sub-processor outside the region", "Retention not in the contract"),
        resolution="Risk accepted for six months, with a dated plan to end it.",
        proof="Risk acceptance RA-{number}",
        outcomes=("signed", "fixed"),
        concession="risk-acceptance",
    ),
    "supplier-remediation": Story(
        weight=4,
        variants=(
            Variant(
                "{account} missed the second remediation milestone",
                "{account} promised to fix the delivery of {product} and missed the date again.",
                "Two of our customers wait for the same part.",
                "We need more time. The new date is not confirmed yet.",
            ),
            Variant(
                "Quality report of {account} overdue",
                "The monthly quality report of {account} is late for the third time.",
                "We cannot show the controls that our customers ask for.",
                "The report is being prepared. We cannot say when it is ready.",
            ),
        ),
        support="Pressure on the supplier with a date, and a fallback.",
        recommendation="Set a last date, name the second source and keep the penalty open.",
        grant="Last date with a second source ready",
        cost="Cost of a second source",
        keep="The milestone slips again",
        causes=("Supplier short of staff", "No second source", "Milestones without penalty"),
        resolution="The milestone was met on the last date.",
        proof="Acceptance protocol P-{number}",
        outcomes=("fixed", "other"),
    ),
}

UPDATES = (
    "Spoke with {contact}. They repeat the ask and named who signs on their side.",
    "Went through the numbers with the deal desk; the range holds if the term is three years.",
    "Their team confirmed the facts. What is missing is a date from us.",
    "Checked the contract: the clause is ours to give, nobody else has to sign.",
    "Asked product for a date and got one we can repeat in writing.",
    "Two of three blockers are gone. The last one is the ask itself.",
)
CUSTOMER_UPDATES = (
    "Thank you for your patience. We have what we need to decide and will come back to you by the time below.",
    "We checked your points with our specialists. The decision is being prepared; you hear from us as agreed.",
    "Your request is with the person who can decide it. We will tell you the outcome, whatever it is.",
)
REASONS = (
    "Fits the plan for this account.",
    "Fair for what went wrong on our side.",
    "Agreed. Keep the term at three years.",
    "The cost of losing them is far above this.",
    "Inside what we set aside for the quarter.",
)
CONDITIONS = (
    "Three-year term and a reference call.",
    "Paid in advance, once a year.",
    "Only together with the signed order.",
)
DECLINES = ("Too much for this term. Come back with half.", "No give in return. Ask for a longer term first.")
REFUSALS = ("The brief is incomplete: the numbers are missing.", "Belongs to the account team in the other region.")
WORKED = (
    "One owner from the first day.",
    "The brief was ready when the decision was needed.",
    "Word to the customer on time.",
)
CHANGES = (
    "Ask for authority before the live session.",
    "Warn the deal desk 90 days before renewal.",
    "Rehearse migrations.",
)
LESSONS = ("Name the person who can decide in the first call.", "Show the cost of delay in the first brief.",
           "Keep one contact at the customer informed every day.")  # fmt: skip
PROMISES = (
    "Monthly review call until the next renewal", "Fix of the import delivered and shown", "Named contact in support",
    "Written summary of the cause", "Roadmap session with product", "Reference call within the quarter",
)  # fmt: skip
