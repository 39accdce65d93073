"""Reports about other systems that were played on this one."""

from tests.findings.row import CASES, INBOUND, MAILS, OTHERS, PAGES, READINGS, TABS, TALK, Row

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
