"""What a first-time buyer met, and what was found while the features were counted."""

from tests.findings.row import CASES, OTHERS, PAGES, TABS, TALK, Row

KEPT = "tests/approvals/requests/test_suggestions_kept.py"
CONDITIONS = f"{CASES}/test_conditions.py"
ACTS = f"{CASES}/test_first_acts_and_updates.py"
ADDED = f"{CASES}/test_what_is_added_up.py"
DEADLINE = f"{CASES}/test_deadline_of_a_decision.py"
FIRST_DAY = (
    Row(
        "first day A1",
        "the history prints a wrong due time",
        (
            (OTHERS, "test_a1_the_history_shows_the_time_that_a_person_gave"),
            ("tests/ledger/test_format.py", "test_a_recorded_moment_is_in_utc_whatever_zone_it_came_in"),
        ),
    ),
    Row(
        "first day A2",
        "approving as recommended is an override",
        (
            (KEPT, "test_approving_as_recommended_with_its_conditions_follows_the_suggestion"),
            (KEPT, "test_other_conditions_than_the_recommended_change_the_suggestion"),
        ),
    ),
    Row(
        "first day A3",
        "conditions are carried nowhere",
        (
            (CONDITIONS, "test_each_condition_becomes_a_commitment_with_owner_and_day"),
            (CONDITIONS, "test_the_conditions_stand_in_the_brief_on_the_decision_page_and_in_the_mail"),
            (CONDITIONS, "test_resolving_names_the_conditions_that_are_still_open"),
        ),
    ),
    Row(
        "first day A4",
        "two deadlines for one decision",
        (
            (DEADLINE, "test_without_a_wish_a_request_is_due_when_its_clock_is"),
            (DEADLINE, "test_later_than_the_clock_needs_a_reason_and_names_its_time_and_zone"),
        ),
    ),
    Row(
        "first day A5",
        "work does not count as the first act",
        (
            (ACTS, "test_brief_and_post_are_the_first_act"),
            (ACTS, "test_asking_is_the_first_act"),
            (ACTS, "test_answering_a_question_is_the_first_act_of_the_owner_only"),
        ),
    ),
    Row(
        "first day B1",
        "a green case with a red clock",
        (
            (OTHERS, "test_b1_no_case_is_green_with_a_late_update_wherever_it_stands"),
            (f"{PAGES}/test_queue.py", "test_the_list_has_the_status_of_the_chip"),
        ),
    ),
    Row(
        "first day B2",
        "one decision in two colours",
        ((DEADLINE, "test_case_queue_and_approvals_turn_yellow_at_the_same_moment"),),
    ),
    Row(
        "first day B3",
        "an internal post stretches its own promise",
        (
            (ACTS, "test_an_internal_post_on_a_red_case_is_due_again_by_its_rhythm"),
            (ACTS, "test_the_composer_prefills_no_other_time"),
        ),
    ),
    Row(
        "first day B4",
        "the rhythm names an internal date as the customer's",
        ((OTHERS, "test_b4_the_rhythm_names_each_update_with_its_own_time"),),
    ),
    Row(
        "first day B6",
        "no file anywhere",
        (
            (f"{PAGES}/test_files_on_the_thread.py", "test_a_post_keeps_its_files_and_shows_them"),
            (f"{TABS}/test_files.py", "test_the_brief_has_files"),
            (f"{TABS}/test_files.py", "test_a_file_is_a_proof"),
            (f"{TABS}/test_files.py", "test_the_intake_form_takes_files"),
        ),
    ),
    Row(
        "first day B7",
        "the rail swallows the case",
        (
            (
                f"{PAGES}/test_clocks_on_the_case.py",
                "test_the_first_three_clocks_and_every_near_one_stand_open_and_the_others_are_folded",
            ),
        ),
    ),
    Row(
        "first day B8",
        "percentages are added without a word",
        (
            (ADDED, "test_page_card_and_mail_name_the_case_of_the_earlier_grant"),
            (ADDED, "test_the_decision_clock_is_named_after_the_body_that_decides"),
        ),
    ),
    Row(
        "first day B9",
        "a promise that nobody can keep",
        (
            (OTHERS, "test_b9_no_update_is_promised_before_somebody_must_accept"),
            (
                f"{CASES}/test_asking_without_an_owner.py",
                "test_red_and_cash_critical_cases_run_on_clock_hours_at_the_weekend",
            ),
        ),
    ),
    Row(
        "first day B10",
        "telling the customer",
        (
            (OTHERS, "test_b10_once_the_customer_was_told_nobody_is_asked_to_confirm_it"),
            (f"{PAGES}/test_files_on_the_thread.py", "test_a_customer_update_carries_its_files"),
            (f"{PAGES}/test_case_pages.py", "test_a_customer_update_needs_a_contact_of_this_account"),
        ),
    ),
    Row(
        "first day B11",
        "the brief is headed by another clock",
        (
            (ADDED, "test_the_brief_is_headed_by_the_decision_that_is_asked"),
            (ADDED, "test_without_a_request_the_brief_shows_the_decision_clock"),
        ),
    ),
    Row(
        "first day B16",
        "the first call leads to a form that cannot be used",
        ((f"{PAGES}/test_next_step.py", "test_the_brief_comes_before_the_request_that_it_holds_back"),),
    ),
    Row(
        "first day B18",
        "a closed case promises an update",
        (
            (ACTS, "test_a_closed_case_has_no_composer_and_no_next_update"),
            (ACTS, "test_a_closed_case_takes_no_updates"),
        ),
    ),
)
SHARING = f"{CASES}/test_sharing.py"
COVERAGE = (
    Row(
        "coverage: an external party sees everything",
        "only what is shared",
        (
            (SHARING, "test_their_pages_and_mails_hold_nothing_of_the_case"),
            (SHARING, "test_no_other_page_opens_for_an_external_party"),
            (SHARING, "test_the_api_is_closed_to_a_token_of_an_external_party"),
        ),
    ),
    Row(
        "coverage: any amount counts as a refund",
        "only an ask for money back",
        (
            (f"{CASES}/test_signals_that_ask.py", "test_only_an_ask_for_money_back_is_a_refund"),
            (f"{CASES}/test_signals_that_ask.py", "test_the_amount_that_is_asked_back_is_the_one_in_the_words"),
        ),
    ),
    Row(
        "coverage: resolved without an executive",
        "six decisions of a sponsor count 0 %",
        (
            (
                f"{CASES}/test_deciding_without_a_request.py",
                "test_six_vip_cases_decided_by_a_sponsor_are_not_resolved_without_an_executive",
            ),
        ),
    ),
    Row(
        "coverage: nobody may write when the communication lead is gone",
        "the duty moves",
        (
            (f"{CASES}/test_leaving.py", "test_the_customer_can_be_written_to_after_the_communication_lead_left"),
            (f"{CASES}/test_duties.py", "test_the_owner_a_manager_and_operations_change_duties_and_nobody_else"),
        ),
    ),
    Row(
        "coverage: an imported health score is lost",
        "both are kept, the policy chooses",
        (
            (f"{CASES}/test_health_from_outside.py", "test_a_signal_does_not_overwrite_the_score_from_outside"),
            (f"{CASES}/test_health_from_outside.py", "test_opening_and_ending_a_case_recompute"),
        ),
    ),
    Row(
        "coverage: mail lands in the wrong case",
        "a guess says so, an unproven sender is shown",
        (
            (f"{TALK}/test_which_case.py", "test_where_nothing_tells_it_is_a_guess_and_says_so"),
            (f"{TALK}/test_which_case.py", "test_an_unproven_sender_is_shown_and_said"),
        ),
    ),
    Row(
        "coverage: approve before anybody accepted",
        "an accepted owner or a reason",
        (
            (f"{CASES}/test_asking_without_an_owner.py", "test_asking_before_an_owner_accepted_needs_a_reason"),
            (f"{CASES}/test_asking_without_an_owner.py", "test_the_reason_is_recorded"),
        ),
    ),
    Row(
        "coverage: red at the weekend",
        "acceptance and response run alike",
        (
            (
                f"{CASES}/test_asking_without_an_owner.py",
                "test_red_and_cash_critical_cases_run_on_clock_hours_at_the_weekend",
            ),
        ),
    ),
    Row(
        "coverage: a CSM cannot add a contact",
        "CSM and AE add and correct",
        (("tests/accounts/customers/test_contacts.py", "test_the_csm_and_the_ae_add_and_correct_a_contact"),),
    ),
    Row(
        "coverage: words set a flag",
        "only a ticked flag or a flagged signal",
        (
            (f"{CASES}/test_signals_that_ask.py", "test_legal_words_open_a_case_without_the_legal_flag"),
            (f"{CASES}/test_signals_that_ask.py", "test_a_signal_that_was_logged_as_a_flag_sets_it"),
        ),
    ),
)
