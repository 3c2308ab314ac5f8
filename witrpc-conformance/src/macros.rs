//! The macro that makes a test of each case.

/// Makes a `#[test]` of each case, in the module in which it stands. The argument is a function or a closure from
/// [`Limits`](crate::Limits) to a [`MeetingPlace`](crate::MeetingPlace): see the [crate](crate).
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        #[test]
        fn calls_of_every_size_return_what_they_were_given() {
            $crate::cases::calls::calls_of_every_size_return_what_they_were_given(&$make);
        }

        #[test]
        fn errors_and_panics_reach_their_caller_and_the_connection_stands() {
            $crate::cases::calls::errors_and_panics_reach_their_caller_and_the_connection_stands(
                &$make,
            );
        }

        #[test]
        fn shared_bytes_arrive_as_they_were() {
            $crate::cases::calls::shared_bytes_arrive_as_they_were(&$make);
        }

        #[test]
        fn threads_share_a_connection_and_their_calls_run_at_once() {
            $crate::cases::calls::threads_share_a_connection_and_their_calls_run_at_once(&$make);
        }

        #[test]
        fn calls_beyond_the_lanes_wait_for_their_turn() {
            $crate::cases::calls::calls_beyond_the_lanes_wait_for_their_turn(&$make);
        }

        #[test]
        fn messages_over_the_limit_are_refused_and_the_connection_stands() {
            $crate::cases::calls::messages_over_the_limit_are_refused_and_the_connection_stands(
                &$make,
            );
        }

        #[test]
        fn streams_arrive_in_order_to_their_end() {
            $crate::cases::streams::streams_arrive_in_order_to_their_end(&$make);
        }

        #[test]
        fn a_dropped_stream_ends_its_method() {
            $crate::cases::streams::a_dropped_stream_ends_its_method(&$make);
        }

        #[test]
        fn a_reader_that_stops_bounds_what_is_made() {
            $crate::cases::streams::a_reader_that_stops_bounds_what_is_made(&$make);
        }

        #[test]
        fn uploads_arrive_in_order_and_are_answered() {
            $crate::cases::streams::uploads_arrive_in_order_and_are_answered(&$make);
        }

        #[test]
        fn many_streams_and_calls_share_a_connection() {
            $crate::cases::streams::many_streams_and_calls_share_a_connection(&$make);
        }

        #[test]
        fn events_reach_every_subscriber_in_order() {
            $crate::cases::events::events_reach_every_subscriber_in_order(&$make);
        }

        #[test]
        fn events_of_any_size_arrive_between_calls() {
            $crate::cases::events::events_of_any_size_arrive_between_calls(&$make);
        }

        #[test]
        fn a_cancelled_call_is_seen_by_its_handler() {
            $crate::cases::cancels::a_cancelled_call_is_seen_by_its_handler(&$make);
        }

        #[test]
        fn dropped_futures_give_their_lanes_back() {
            $crate::cases::cancels::dropped_futures_give_their_lanes_back(&$make);
        }

        #[test]
        fn a_call_ends_at_its_deadline() {
            $crate::cases::cancels::a_call_ends_at_its_deadline(&$make);
        }

        #[test]
        fn a_client_that_leaves_is_forgotten_and_its_handlers_learn_it() {
            $crate::cases::ends::a_client_that_leaves_is_forgotten_and_its_handlers_learn_it(
                &$make,
            );
        }

        #[test]
        fn a_dismissed_client_learns_why() {
            $crate::cases::ends::a_dismissed_client_learns_why(&$make);
        }

        #[test]
        fn the_end_of_a_server_ends_its_calls() {
            $crate::cases::ends::the_end_of_a_server_ends_its_calls(&$make);
        }

        #[test]
        fn a_shutdown_answers_what_runs_and_takes_nothing_new() {
            $crate::cases::ends::a_shutdown_answers_what_runs_and_takes_nothing_new(&$make);
        }

        #[test]
        fn a_client_reconnects_to_the_next_server() {
            $crate::cases::ends::a_client_reconnects_to_the_next_server(&$make);
        }

        #[test]
        fn a_connect_waits_for_a_server_as_long_as_it_may() {
            $crate::cases::ends::a_connect_waits_for_a_server_as_long_as_it_may(&$make);
        }

        #[test]
        fn a_connect_has_a_limit_of_time() {
            $crate::cases::ends::a_connect_has_a_limit_of_time(&$make);
        }

        #[test]
        fn clients_over_the_limit_are_refused_until_another_leaves() {
            $crate::cases::ends::clients_over_the_limit_are_refused_until_another_leaves(&$make);
        }

        #[test]
        fn an_endpoint_tells_of_its_server_without_a_client() {
            $crate::cases::ends::an_endpoint_tells_of_its_server_without_a_client(&$make);
        }

        #[test]
        fn tokens_are_proved_and_identities_told() {
            $crate::cases::security::tokens_are_proved_and_identities_told(&$make);
        }

        #[test]
        fn each_difference_between_two_sides_is_told() {
            $crate::cases::security::each_difference_between_two_sides_is_told(&$make);
        }

        #[test]
        fn an_encrypted_connection_carries_everything() {
            $crate::cases::security::an_encrypted_connection_carries_everything(&$make);
        }
    };
}
