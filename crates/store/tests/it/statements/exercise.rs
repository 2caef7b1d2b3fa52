//! Tests which together make the store run every statement.

use bowline_store::testing::Backend;

use crate::support::*;
use crate::{
    accepting, access, alerting, at_the_door, browsing, configuring, contact_removal, contact_runs,
    contacts, deciding, elsewhere, feedback, feedback_backfills, feedback_search, feedback_triage,
    forget, gathering, lanes, lost_connections, project_access, reading, readings, replays,
    reports, retention, settling, signing_in, taken_over, talk_browsing, talking, tallies, viewing,
};

/// Runs what makes the store run every statement.
pub(super) async fn exercise(backend: Backend) {
    run(
        backend,
        retention::old_texts_are_taken_out_and_what_waits_keeps_its_own,
    )
    .await;
    run(
        backend,
        accepting::a_delivery_that_the_database_refuses_does_not_fail_its_neighbours,
    )
    .await;
    if backend == Backend::Postgres {
        lost_connections::an_answer_is_lost().await;
    }
    run(backend, deciding::all_of_a_decision_is_stored_together).await;
    run(
        backend,
        at_the_door::what_means_nothing_for_an_unlinked_issue_is_decided_at_once,
    )
    .await;
    run(
        backend,
        deciding::a_decision_about_an_event_that_does_not_wait_is_refused,
    )
    .await;
    run(backend, lanes::hastened_lanes_are_due_and_keep_their_order).await;
    run(backend, lanes::lanes_that_a_dead_process_held_are_found).await;
    run(backend, lanes::a_closed_store_lets_its_lanes_go).await;
    run(backend, lanes::a_replayed_event_waits_again).await;
    run(backend, lanes::a_renewed_lane_is_kept).await;
    run(backend, lanes::work_is_heard_of).await;
    run(
        backend,
        settling::what_follows_from_an_effect_waits_at_the_end_of_the_lane,
    )
    .await;
    run(backend, settling::a_remote_thing_that_we_made_is_ours).await;
    run(backend, taken_over::a_late_confirmation_counts_once).await;
    run(
        backend,
        taken_over::a_late_confirmation_stands_above_a_refusal,
    )
    .await;
    run(backend, viewing::events_are_listed_newest_first).await;
    run(backend, reading::facts_are_known_of_their_issue_only).await;
    run(backend, reading::an_issue_is_found_by_its_present_key).await;
    run(backend, reading::live_links_are_found_from_both_ends).await;
    run(backend, viewing::links_are_listed_by_what_is_asked).await;
    run(backend, viewing::the_backlog_counts_what_waits).await;
    run(backend, viewing::connections_are_kept).await;
    run(backend, viewing::bindings_are_kept).await;
    run(backend, access::the_first_owner_is_made_once).await;
    run(
        backend,
        access::an_account_is_changed_from_its_present_version_only,
    )
    .await;
    run(backend, access::an_invitation_is_used_once).await;
    run(backend, access::sessions_end).await;
    run(backend, access::people_and_sessions_are_read_in_parts).await;
    run(backend, access::tokens_end).await;
    run(backend, access::the_audit_log_is_read_newest_first).await;
    run(backend, access::a_named_write_is_made_once).await;
    run(
        backend,
        configuring::a_setting_is_changed_from_its_present_version_only,
    )
    .await;
    run(backend, configuring::a_setting_made_again_is_another_one).await;
    run(
        backend,
        configuring::secrets_are_sealed_anew_unless_they_changed,
    )
    .await;
    run(backend, browsing::deliveries_are_found_by_what_is_asked).await;
    run(backend, browsing::what_waits_and_what_fails_is_counted).await;
    run(backend, browsing::what_was_done_is_counted_by_day).await;
    run(backend, browsing::links_are_found_page_by_page).await;
    run(backend, browsing::what_is_asked_most_comes_first).await;
    run(
        backend,
        talking::a_conversation_is_stored_whole_and_read_back,
    )
    .await;
    run(backend, talk_browsing::conversations_are_found_page_by_page).await;
    run(backend, talk_browsing::end_users_are_found_page_by_page).await;
    run(
        backend,
        talk_browsing::a_transcript_holds_what_was_said_and_what_became_of_it,
    )
    .await;
    run(
        backend,
        talk_browsing::the_first_decision_about_a_message_stands,
    )
    .await;
    run(backend, talking::lines_stand_in_their_order_and_once).await;
    run(
        backend,
        talking::lines_of_one_moment_stand_as_they_were_written,
    )
    .await;
    run(backend, talking::what_couriers_find_out_is_kept).await;
    run(backend, talking::outbound_messages_are_followed).await;
    run(
        backend,
        talking::a_message_that_waits_for_more_is_not_taken_at_once,
    )
    .await;
    run(backend, talking::calls_and_looks_are_remembered).await;
    run(backend, contacts::what_intercom_tells_is_taken_in_once).await;
    run(backend, contacts::imported_people_are_joined_or_asked_about).await;
    run(
        backend,
        contacts::a_merge_moves_everything_and_keeps_where_they_went,
    )
    .await;
    run(backend, contacts::what_is_erased_does_not_come_back).await;
    run(
        backend,
        contacts::what_was_sent_about_who_is_erased_is_taken_out,
    )
    .await;
    run(
        backend,
        contacts::a_local_edit_counts_until_intercom_is_used_again,
    )
    .await;
    run(
        backend,
        contact_runs::a_run_goes_on_where_it_was_and_is_fenced,
    )
    .await;
    run(
        backend,
        contact_runs::what_was_copied_is_removed_and_can_be_copied_again,
    )
    .await;
    run(
        backend,
        contact_runs::who_was_erased_here_is_counted_until_intercom_deletes_them_too,
    )
    .await;
    run(
        backend,
        contacts::events_change_contacts_with_their_decision,
    )
    .await;
    run(
        backend,
        talking::an_identity_stays_with_the_first_who_has_it,
    )
    .await;
    run(
        backend,
        talking::people_decide_who_is_blocked_and_which_customer_they_are,
    )
    .await;
    run(backend, feedback::a_product_keeps_since_when_its_tags_count).await;
    run(
        backend,
        feedback::a_message_has_one_ticket_and_its_tags_are_followed,
    )
    .await;
    run(
        backend,
        feedback_search::tickets_are_found_by_what_is_asked_and_sorted_by_who_wants_them,
    )
    .await;
    run(
        backend,
        feedback_triage::merging_counts_people_once_and_can_be_undone,
    )
    .await;
    run(
        backend,
        feedback_triage::a_ticket_is_split_and_tied_to_issues,
    )
    .await;
    run(backend, feedback::what_is_erased_leaves_a_shell).await;
    run(backend, forget::what_was_written_of_what_is_erased_goes).await;
    run(backend, feedback_backfills::a_backfill_goes_its_way).await;
    run(backend, replays::a_replay_goes_its_way).await;
    run(
        backend,
        project_access::what_is_lacking_is_kept_with_its_time,
    )
    .await;
    run(backend, reports::a_connection_has_its_pace).await;
    run(backend, reports::the_report_counts_everybody_once).await;
    run(
        backend,
        reports::the_report_is_read_page_by_page_in_every_order,
    )
    .await;
    run(backend, reports::links_of_a_version_before_are_taken_up).await;
    run(backend, reports::the_report_is_found_by_status).await;
    run(
        backend,
        reports::links_follow_their_issue_to_another_project,
    )
    .await;
    run(
        backend,
        tallies::what_is_put_on_issues_is_kept_until_it_is_taken_off,
    )
    .await;
    run(backend, tallies::a_run_goes_through_each_issue_once).await;
    run(
        backend,
        feedback_backfills::who_gave_feedback_is_found_and_moves_when_they_are_merged,
    )
    .await;
    run(
        backend,
        contact_runs::who_is_not_met_in_a_list_is_asked_for_once,
    )
    .await;
    run(backend, contact_runs::choices_are_kept_for_who_made_them).await;
    run(
        backend,
        contact_runs::a_run_that_failed_stands_until_one_that_covers_it_succeeds,
    )
    .await;
    run(
        backend,
        contact_removal::who_was_imported_stays_though_intercom_has_them_too,
    )
    .await;
    run(backend, readings::what_was_read_is_kept).await;
    run(backend, readings::a_held_send_ends_once).await;
    run(backend, elsewhere::an_identity_is_one_accounts).await;
    run(backend, elsewhere::a_sign_in_is_used_once_and_forgotten).await;
    run(backend, gathering::a_note_takes_up_what_waits_behind_it).await;
    run(
        backend,
        feedback_search::words_of_very_many_tickets_are_found_to_the_last_one,
    )
    .await;
    run(
        backend,
        alerting::news_is_written_down_once_and_told_to_each_receiver_in_order,
    )
    .await;
    run(
        backend,
        signing_in::a_code_counts_once_and_wrong_ones_are_counted,
    )
    .await;
    run(
        backend,
        signing_in::who_is_half_way_comes_in_once_and_in_time,
    )
    .await;
    run(
        backend,
        signing_in::a_sealed_factor_is_sealed_anew_unless_it_changed,
    )
    .await;
    run(
        backend,
        signing_in::tries_to_sign_in_are_counted_by_all_processes_together,
    )
    .await;
}
