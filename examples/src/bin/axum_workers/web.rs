//! What the server does over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use witrpc::CallError;

use crate::options::Options;
use crate::pool::{Pool, Status};
use crate::thumbnails::PictureError;

/// All that requests share.
pub(crate) struct Site {
    pool: Pool,
    places: Semaphore,
    /// The number of places, taken or not.
    most_requests: usize,
    longest: usize,
    timeout: Duration,
}

impl Site {
    pub(crate) fn new(pool: Pool, options: &Options) -> Self {
        let most_requests = options.requests.get().into();
        let (longest, timeout) = (options.longest, options.timeout());
        Self { pool, places: Semaphore::new(most_requests), most_requests, longest, timeout }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Returns the number of requests that are being answered.
    pub(crate) fn requests(&self) -> usize {
        self.most_requests - self.places.available_permits()
    }
}

pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/thumbnail", post(thumbnail))
        .route("/workers", get(workers))
        .with_state(site)
}

#[derive(Deserialize)]
struct Wanted {
    width: u32,
}

/// Answers with the thumbnail of the file that the body is. When the client goes, this future is dropped,
/// which cancels its call.
async fn thumbnail(
    State(site): State<Arc<Site>>,
    Query(Wanted { width }): Query<Wanted>,
    body: Body,
) -> Result<impl IntoResponse, Refusal> {
    let _place = site.places.try_acquire().map_err(|_| Refusal::Busy)?;
    let body = timeout(site.timeout, to_bytes(body, site.longest)).await;
    let file =
        body.map_err(|_| Refusal::SlowClient)?.map_err(|_| Refusal::TooLong(site.longest))?;
    let worker = site.pool.least_busy();
    let thumbnail = worker.client().shrink(&file, width).await?;
    Ok(([(CONTENT_TYPE, "image/png")], thumbnail))
}

#[derive(Serialize)]
struct Report {
    requests: usize,
    workers: Vec<Status>,
}

async fn workers(State(site): State<Arc<Site>>) -> Json<Report> {
    Json(Report { requests: site.requests(), workers: site.pool.status() })
}

/// The reason why a request gets no thumbnail.
#[derive(Debug, Error)]
enum Refusal {
    #[error("too many requests at a time: come back in a second")]
    Busy,
    #[error("the file did not arrive in time")]
    SlowClient,
    #[error("the file is longer than {0} bytes, or was broken off")]
    TooLong(usize),
    #[error(transparent)]
    Call(#[from] CallError<PictureError>),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::SlowClient => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Call(CallError::App(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Call(CallError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Call(CallError::TimedOut { .. } | CallError::Expired) => {
                StatusCode::GATEWAY_TIMEOUT
            }
            // The file may be the reason, so no other worker gets it. The client may send it again.
            Self::Call(CallError::PeerDied | CallError::Panicked { .. }) => StatusCode::BAD_GATEWAY,
            Self::Call(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Call(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, format!("{self}\n")).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, 1.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_of_a_call_is_told_by_its_own_status() {
        let status = |error: CallError<PictureError>| Refusal::from(error).status().as_u16();
        assert_eq!(status(CallError::App(PictureError::TooLarge)), 422);
        assert_eq!(status(CallError::PeerDied), 502);
        assert_eq!(status(CallError::Panicked { message: "oh".to_owned() }), 502);
        assert_eq!(status(CallError::Expired), 504);
        assert_eq!(status(CallError::NoSpace), 503);
        assert_eq!(status(CallError::Unauthorized), 500);
    }

    #[test]
    fn a_refusal_for_now_says_when_to_come_back() {
        let retry_after = |refusal: Refusal| {
            refusal.into_response().headers().get(RETRY_AFTER).map(|value| value == "1")
        };
        assert_eq!(retry_after(Refusal::Busy), Some(true));
        assert_eq!(retry_after(Refusal::SlowClient), None);
    }
}
