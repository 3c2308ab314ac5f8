//! The macro that makes a test of each case.

/// Makes a `#[test]` of each case, in the module in which it stands. The argument is a function or a closure from
/// [`Limits`](crate::Limits) to a [`Place`](crate::Place): see the [crate](crate).
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::conformance_tests! { @list $make =>
            calls::calls_of_every_size_return_what_they_were_given
            calls::errors_and_panics_reach_their_caller_and_the_connection_stands
            calls::shared_bytes_arrive_as_they_were
            calls::threads_share_a_connection_and_their_calls_run_at_once
            calls::calls_beyond_the_lanes_wait_for_their_turn
            calls::messages_over_the_limit_are_refused_and_the_connection_stands
            streams::streams_arrive_in_order_to_their_end
            streams::a_dropped_stream_ends_its_method
            streams::a_reader_that_stops_bounds_what_is_made
            streams::uploads_arrive_in_order_and_are_answered
            streams::many_streams_and_calls_share_a_connection
            events::events_reach_every_subscriber_in_order
            events::events_of_any_size_arrive_between_calls
            cancels::a_cancelled_call_is_seen_by_its_handler
            cancels::dropped_futures_give_their_lanes_back
            cancels::a_call_ends_at_its_deadline
            ends::a_client_that_leaves_is_forgotten_and_its_handlers_learn_it
            ends::a_dismissed_client_learns_why
            ends::the_end_of_a_server_ends_its_calls
            ends::a_shutdown_answers_what_runs_and_takes_nothing_new
            ends::a_client_reconnects_to_the_next_server
            ends::a_connect_waits_for_a_server_as_long_as_it_may
            ends::a_connect_has_a_limit_of_time
            ends::clients_over_the_limit_are_refused_until_another_leaves
            ends::an_endpoint_tells_of_its_server_without_a_client
            security::tokens_are_proved_and_identities_told
            security::each_difference_between_two_sides_is_told
            security::an_encrypted_connection_carries_everything
        }
    };
    (@list $make:expr => $($module:ident :: $name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::cases::$module::$name(&$make);
            }
        )*
    };
}
