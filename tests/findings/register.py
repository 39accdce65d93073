"""Which test holds which finding. A row may have several tests; all of them run on both databases.

`report N` is the N-th report about another help desk or approval system that was played on this one, `first day` what a
first-time buyer met, `coverage` what was found while the features were counted.
"""

from typing import NamedTuple

MAILS = "tests/findings/test_mail_rows.py"
OTHERS = "tests/findings/test_other_rows.py"
CASES = "tests/escalations/cases"
PAGES = "tests/escalations/pages"
TABS = "tests/escalations/tabs"
TALK = "tests/escalations/conversation"
INBOUND = "tests/messaging/inbound"
READINGS = "tests/accounts/imports/test_readings.py"


class Row(NamedTuple):
    """A finding in a few words, and the tests of its right value as file and names."""

    name: str
    finding: str
    tests: tuple[tuple[str, str], ...]


REPORTS = (
    Row(
        "report 1",
        "an answer that carries only References or In-Reply-To",
        (
            (MAILS, "test_row_01_an_answer_by_references_is_on_its_case"),
            (MAILS, "test_row_01_an_answer_to_the_mail_that_opened_a_case_is_on_it"),
            (f"{TALK}/test_which_case.py", "test_the_address_with_its_token_wins_over_everything"),
            (f"{TALK}/test_which_case.py", "test_a_move_keeps_both_histories"),
        ),
    ),
    Row(
        "report 2",
        "the number of a case in the subject",
        (
            (MAILS, "test_row_02_a_number_in_the_subject_names_the_case"),
            (MAILS, "test_row_02_without_any_clue_it_is_a_guess_and_says_so"),
        ),
    ),
    Row(
        "report 3",
        "a stranger names the case of another customer",
        ((MAILS, "test_row_03_a_case_of_another_customer_is_never_the_place"),),
    ),
    Row(
        "report 4",
        "an answer to a duplicate",
        ((MAILS, "test_row_04_an_answer_to_a_duplicate_is_on_the_case_that_carries_on"),),
    ),
    Row("report 5", "thanks on a closed case", ((MAILS, "test_row_05_thanks_reopen_nothing"),)),
    Row(
        "report 6",
        "a complaint on an ended case, or without a case",
        (
            (MAILS, "test_row_06_a_complaint_after_the_end_is_listed_and_told"),
            (MAILS, "test_row_06_without_an_open_case_the_csm_is_told"),
            (f"{TALK}/test_somebody_looks.py", "test_reopen_takes_it_off_the_list"),
            (f"{TALK}/test_somebody_looks.py", "test_nothing_to_do_is_logged_and_takes_it_off_the_list"),
        ),
    ),
    Row(
        "report 7",
        "nobody hears that the customer answered",
        (
            (MAILS, "test_rows_07_08_an_answer_is_told_and_ends_the_wait"),
            (f"{TALK}/test_somebody_looks.py", "test_they_get_a_mail_if_they_want_one"),
            (f"{TALK}/test_somebody_looks.py", "test_what_nobody_opened_is_listed_daily_for_operations"),
        ),
    ),
    Row(
        "report 8",
        "the clock stands still after the customer answered",
        (
            (MAILS, "test_rows_07_08_an_answer_is_told_and_ends_the_wait"),
            (f"{TALK}/test_somebody_looks.py", "test_a_robot_ends_no_wait"),
        ),
    ),
    *(
        Row(
            f"report {number}",
            what,
            (
                (MAILS, "test_rows_09_to_12_every_encoding_is_read"),
                (f"{INBOUND}/test_charsets.py", "test_the_reported_mails_are_read_right"),
                (f"{INBOUND}/test_charsets.py", name),
            ),
        )
        for number, what, name in (
            (9, "ISO-2022-JP without a charset", "test_escape_sequences_tell_the_encoding_whatever_name_is_given"),
            (10, "characters of NEC in ISO-2022-JP", "test_characters_of_nec_are_read_in_escaped_japanese"),
            (
                11,
                "the wider encoding under a narrow name",
                "test_text_is_read_by_the_encoding_that_programs_send_under_a_name",
            ),
            (12, "a wrong charset, or one in <meta> only", "test_letters_show_an_encoding_that_is_not_named_or_wrong"),
        )
    ),
    Row(
        "report 13",
        "the question stands in the subject",
        (
            (MAILS, "test_rows_13_to_15_no_part_of_a_message_is_lost"),
            (MAILS, "test_row_13_a_subject_alone_opens_a_case_like_a_first_sentence"),
            (f"{TALK}/test_whole_message.py", "test_the_subject_of_our_own_mail_is_not_theirs"),
        ),
    ),
    Row(
        "report 14",
        "winmail.dat and other parts that cannot be read",
        (
            (MAILS, "test_rows_13_to_15_no_part_of_a_message_is_lost"),
            (f"{TALK}/test_whole_message.py", "test_parts_without_a_text_are_named"),
        ),
    ),
    Row(
        "report 15",
        "a calendar invitation",
        (
            (MAILS, "test_rows_13_to_15_no_part_of_a_message_is_lost"),
            (f"{TALK}/test_whole_message.py", "test_a_part_of_another_type_is_read_or_named"),
        ),
    ),
    Row(
        "report 16",
        "what the customer quotes himself",
        (
            (MAILS, "test_rows_16_and_18_what_the_customer_wrote_is_shown"),
            (MAILS, "test_row_16_what_was_cut_unfolds"),
        ),
    ),
    Row(
        "report 18",
        "words under the closing",
        (
            (MAILS, "test_rows_16_and_18_what_the_customer_wrote_is_shown"),
            (f"{INBOUND}/test_reply_text.py", "test_a_postscript_stays_in_every_language"),
        ),
    ),
    Row(
        "report 19",
        "an answer below or between quotations",
        ((MAILS, "test_row_19_an_answer_below_or_between_quotations_is_shown"),),
    ),
    Row(
        "report 20",
        "a person taken for a robot",
        (
            (MAILS, "test_rows_20_and_21_a_person_is_shown"),
            (MAILS, "test_rows_20_and_21_one_witness_is_not_enough"),
            (MAILS, "test_row_20_who_says_it_is_an_answer_is_set_aside_and_stands_on_the_account"),
        ),
    ),
    Row(
        "report 21",
        "support@ is a group",
        (
            (MAILS, "test_rows_20_and_21_a_person_is_shown"),
            (MAILS, "test_rows_20_and_21_one_witness_is_not_enough"),
        ),
    ),
    Row(
        "report 22",
        "a person's words leave as automatic mail",
        ((MAILS, "test_row_22_our_customer_update_is_read_as_a_persons_words"),),
    ),
    Row(
        "report 23",
        "a second press",
        (
            ("tests/config/test_once.py", "test_eight_presses_at_once_are_one_entry_one_mail_and_one_case"),
            ("tests/config/test_once.py", "test_a_reload_leads_to_the_first_result_and_says_the_same"),
            ("tests/config/test_once.py", "test_every_form_that_is_posted_has_the_token"),
            ("tests/config/test_once.py", "test_every_post_of_the_api_takes_a_key"),
        ),
    ),
    Row(
        "report 24",
        "the session ends while somebody types",
        (
            ("tests/config/test_typed.py", "test_the_words_are_back_in_the_box_on_the_page"),
            ("tests/config/test_typed.py", "test_intake_comes_back_with_all_its_words"),
            ("tests/config/test_typed.py", "test_another_person_does_not_get_the_words"),
        ),
    ),
    Row(
        "report 25",
        "thousands in a European file",
        (
            (READINGS, "test_thousands_of_a_european_file_are_read_by_its_other_cells"),
            (READINGS, "test_what_the_file_does_not_tell_is_asked_before_anything_is_written"),
            (READINGS, "test_the_page_asks_and_reads_as_chosen"),
        ),
    ),
    Row(
        "report 27",
        "files in other encodings",
        (
            (READINGS, "test_letters_are_shown_before_anything_is_written"),
            (READINGS, "test_the_page_shows_names_and_reads_them_again"),
        ),
    ),
    Row(
        "report 28",
        "search minds the case of umlauts",
        (
            ("tests/config/test_search.py", "test_case_accents_and_the_rest_of_a_word_do_not_matter"),
            ("tests/config/test_search.py", "test_the_search_box_of_the_account_list_finds_alike"),
            ("tests/config/test_search.py", "test_the_search_boxes_of_the_admin_find_alike"),
        ),
    ),
    Row(
        "report 29",
        "pages double and lose rows",
        (
            ("tests/config/test_lists.py", "test_the_pages_of_the_api_hold_each_row_once"),
            (f"{PAGES}/test_queue.py", "test_the_pages_show_each_case_once_in_both_directions"),
        ),
    ),
    Row("report 30", "exports in Excel", ((READINGS, "test_exports_open_right_in_excel"),)),
    Row(
        "report 31",
        "the next update ignores the calendar",
        (
            (
                f"{CASES}/test_first_acts_and_updates.py",
                "test_the_next_customer_update_counts_on_the_calendar_of_its_target",
            ),
        ),
    ),
    Row(
        "report 32",
        "cases stay with somebody who left",
        (
            (f"{CASES}/test_leaving.py", "test_a_case_whose_owner_left_needs_an_owner_and_the_next_one_is_asked"),
            (f"{CASES}/test_leaving.py", "test_somebody_made_inactive_by_another_way_is_treated_alike"),
            (f"{CASES}/test_leaving.py", "test_nothing_that_is_open_names_somebody_who_left"),
        ),
    ),
    Row(
        "report 33",
        "a request waits for somebody who left",
        (
            (f"{CASES}/test_leaving.py", "test_a_decision_goes_to_the_next_who_can_decide_and_the_requester_is_told"),
            (f"{CASES}/test_leaving.py", "test_operations_and_the_manager_get_one_summary"),
        ),
    ),
    Row(
        "report 34",
        "a colleague under a wrong name",
        (
            (MAILS, "test_row_34_a_colleague_is_named_on_the_side_of_the_customer"),
            (MAILS, "test_row_34_a_colleague_whose_mail_opens_a_case_is_named_too"),
            (f"{TALK}/test_somebody_looks.py", "test_a_colleague_who_is_no_contact_ends_it_too_and_is_named"),
        ),
    ),
    Row(
        "report 35",
        "hours that come twice or not at all",
        (
            ("tests/ledger/test_moments.py", "test_a_form_says_what_it_took"),
            ("tests/ledger/test_moments.py", "test_a_deadline_is_accepted_by_page_and_api"),
        ),
    ),
    Row("report 36", "a warning in closed hours", ((OTHERS, "test_row_36_a_warning_falls_into_open_hours"),)),
    Row(
        "report 37", "a pause over a weekend", ((OTHERS, "test_row_37_a_pause_over_a_weekend_counts_no_closed_hours"),)
    ),
    Row("report 38", "holidays in the way", ((OTHERS, "test_row_38_holidays_do_not_count"),)),
    Row(
        "report 39", "a line break in a name", ((OTHERS, "test_row_39_a_line_break_in_a_name_does_not_stop_the_mail"),)
    ),
    Row(
        "report 40",
        "the bell shows what one may not see",
        (
            (OTHERS, "test_row_40_every_notice_opens_for_its_reader"),
            (f"{CASES}/test_losing_access.py", "test_access_ends_with_its_reason"),
        ),
    ),
    Row("report 41", "a title above the header", ((READINGS, "test_a_title_above_the_header_is_named"),)),
    Row(
        "report 42",
        "an amount typed with marks",
        ((OTHERS, "test_row_42_an_amount_with_marks_is_refused_with_an_example"),),
    ),
    Row(
        "report 43",
        "paging loses the filter",
        (
            (f"{PAGES}/test_queue.py", "test_the_pages_keep_the_view_and_the_filters"),
            ("tests/config/test_lists.py", "test_a_page_leaves_out_what_it_does_not_know_and_says_so"),
        ),
    ),
    Row(
        "report, attachments",
        "attachments are named and can be fetched",
        (
            (f"{PAGES}/test_files_of_mail.py", "test_attachments_are_on_the_case_and_can_be_fetched"),
            (MAILS, "test_attachments_of_a_mail_come_along_when_a_case_is_opened_from_it_later"),
        ),
    ),
    Row("report, ids", "ids with invisible characters", ((READINGS, "test_ids_that_look_alike_are_one"),)),
    Row(
        "report, duplicates",
        "a duplicate of a case of another company, and the door",
        (
            (f"{CASES}/test_duplicates.py", "test_only_an_open_case_of_the_same_account_that_one_sees"),
            (f"{TABS}/test_endings.py", "test_a_case_is_marked_as_a_duplicate_and_says_where_it_went"),
        ),
    ),
)
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
ROWS = (*REPORTS, *FIRST_DAY, *COVERAGE)
TESTS = frozenset(f"{file}::{name}" for each in ROWS for file, name in each.tests)
FILES = frozenset(file for each in ROWS for file, _ in each.tests)
