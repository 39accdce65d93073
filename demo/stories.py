"""The subjects of cases, and the texts of people. {braces} are filled for each case."""

from demo.deals import DEALS
from demo.plots import Story
from demo.services import SERVICES

STORIES: dict[str, Story] = DEALS | SERVICES

PRODUCTS = (
    "Atlas reporting", "the Harbor connector", "the Beacon portal", "Relay messaging", "the planning module",
    "the mobile app", "the data export", "single sign-on", "the audit log", "the pricing engine",
)  # fmt: skip

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
