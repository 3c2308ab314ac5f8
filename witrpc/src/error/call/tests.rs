use serde::Deserialize;
use witrpc_transport::ChannelError;

use crate::error::assert_is_sentence;

use super::*;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("there is nothing to divide by")]
struct ByZero;

fn examples() -> Vec<CallError> {
    let message = || "oh".to_owned();
    vec![
        CallError::TimedOut { after: Some(Duration::from_secs(1)) },
        CallError::Cancelled,
        CallError::Expired,
        CallError::Rejected { reason: message(), is_retryable: false },
        CallError::PeerDied,
        CallError::Panicked { message: message() },
        CallError::TooLarge { direction: Direction::Request, len: 2, max: 1 },
        CallError::TooLarge { direction: Direction::Answer, len: 2, max: 1 },
        CallError::AnswerTooLarge { len: 2, max: 1 },
        CallError::Unauthorized,
        CallError::ContractMismatch { difference: message() },
        CallError::Disconnected(DisconnectReason::Forked),
        CallError::NotConnected,
        CallError::NoFreeLane { lanes: 64, abandoned: 0 },
        CallError::NoFreeLane { lanes: 64, abandoned: 3 },
        CallError::TooFewLanes { lanes: 2, needed: 4 },
        CallError::NoSpace,
        CallError::ServerNoMemory,
        CallError::NotDelivered,
        CallError::NoThread { message: message() },
        CallError::ServerNoThread { message: message() },
        CallError::UploadStalled { after: Duration::from_secs(1), stage: UploadStage::Queued },
        CallError::UploadStalled { after: Duration::from_secs(1), stage: UploadStage::Begun },
        CallError::TooManyStreams { limit: StreamLimit::Open, max: 1024 },
        CallError::TooManyStreams { limit: StreamLimit::Methods, max: 2048 },
        CallError::TooManyStreams { limit: StreamLimit::RequestBytes, max: 1 << 28 },
        CallError::NoFreeLane { lanes: 64, abandoned: 0 }.once_begun(),
        CallError::UnknownMethod { method: "divide" },
        CallError::BadRequest { message: message() },
        CallError::Encode { message: message() },
        CallError::EncodeAnswer { message: message() },
        CallError::Decode { message: message() },
        CallError::ShuttingDown,
        CallError::Protocol { message: message() },
    ]
}

#[test]
fn a_question_mark_widens_and_changes_nothing_else() {
    fn widen(error: CallError) -> Result<(), CallError<ByZero>> {
        Err(error)?
    }
    for error in examples() {
        let words = error.to_string();
        let (retryable, executed) = (error.is_retryable(), error.maybe_executed());
        let widened = widen(error).unwrap_err();
        assert_eq!(widened.to_string(), words);
        assert_eq!(
            (widened.is_retryable(), widened.maybe_executed()),
            (retryable, executed),
            "{words}"
        );
    }
}

#[test]
fn a_call_that_has_begun_may_have_run_whatever_ends_it() {
    for error in examples() {
        let begun = error.clone().once_begun();
        assert!(begun.maybe_executed(), "{begun}");
        assert_eq!(begun.is_retryable(), error.is_retryable(), "{begun}");
        assert!(begun.to_string().ends_with(&error.to_string()), "{begun}");
        assert_eq!(begun == error, error.maybe_executed());
    }
}

#[test]
fn limits_of_streams_have_numbers() {
    for limit in StreamLimit::ALL {
        assert_eq!(StreamLimit::from_number(limit.number()), Some(limit));
    }
    assert_eq!(StreamLimit::from_number(3), None);
}

#[test]
fn the_service_s_error_speaks_for_itself() {
    let error = CallError::App(ByZero);
    assert_eq!(error.to_string(), "there is nothing to divide by");
    assert!(!error.is_retryable());
    let _: Box<dyn std::error::Error + Send + Sync> = error.into();
}

#[test]
fn every_error_is_a_sentence() {
    for error in examples() {
        assert_is_sentence(&error.to_string());
    }
}

#[test]
fn without_a_free_lane_the_error_says_what_holds_the_lanes() {
    let words = |abandoned| CallError::<NoAppError>::NoFreeLane { lanes: 7, abandoned }.to_string();
    assert!(words(0).contains("7 in all") && !words(0).contains("given up"));
    assert!(words(3).contains("7 in all") && words(3).contains("3 of these calls were given up"));
}

#[test]
fn what_was_never_sent_was_never_run() {
    let no_lane = || CallError::NoFreeLane { lanes: 1, abandoned: 1 };
    let from_channel = |error| CallError::from_channel(error, None, no_lane);
    for error in [
        ChannelError::TooLarge { len: 2, max: 1 },
        ChannelError::NoFreeLane,
        ChannelError::TooFewLanes { lanes: 2, needed: 4 },
        ChannelError::NoSpace,
        ChannelError::PeerNoMemory,
        ChannelError::ShuttingDown,
    ] {
        assert!(!from_channel(error).maybe_executed());
    }
    let no_memory = ChannelError::NoMemory { len: 1 };
    for error in [ChannelError::TimedOut, ChannelError::PeerDied, no_memory] {
        assert!(from_channel(error).maybe_executed());
    }
}
