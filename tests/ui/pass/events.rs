//! Events of every form, in a trait with all lints. What they are emitted with need only travel.

#![deny(warnings, missing_docs)]

use std::path::Path;

use serde::{Deserialize, Serialize};
use witrpc::{EmitError, EventError, InProcess, WitServer, wit_service};

/// Neither `Clone` nor `Debug`.
#[derive(Serialize, Deserialize)]
pub struct Table {
    /// Its cells.
    pub cells: Vec<u8>,
}

/// Runs jobs.
#[wit_service]
pub trait Jobs {
    /// Runs one.
    fn run(&self, job: u64) -> u64;
    /// It goes on.
    #[wit(event)]
    fn progress(&self, job: u64, what: &str, path: &Path, samples: &[f64], table: &Table);
    /// The same name in another case, and a keyword.
    #[wit(event, overflow = "newest")]
    fn r#type(&self, r#type: Option<String>);
    #[wit(event, overflow = "wait 5ms", rename = "end")]
    fn ended_(&self);
    #[cfg(windows)]
    #[wit(event)]
    fn registry_changed(&self, key: NoSuchType);
}

struct Worker {
    events: JobsEvents,
}

impl Worker {
    fn emit(&self, job: u64) -> Result<usize, EmitError> {
        let table = Table { cells: vec![1, 2] };
        let told = self.events.progress(job, "half", Path::new("/tmp"), &[0.5], &table)?;
        self.events.r#type(Some("loud".to_owned()))?;
        self.events.to(0).ended_()?;
        self.events.ended_()?;
        Ok(told)
    }
}

impl Jobs for Worker {
    fn run(&self, job: u64) -> u64 {
        self.emit(job).expect("all of it can be encoded") as u64
    }
}

/// A service of which only events are to be had.
#[wit_service]
trait News {
    #[wit(event)]
    fn told(&self, what: String);
}

struct Agency;

impl News for Agency {}

fn main() {
    let place = InProcess::new();
    let server = WitServer::builder()
        .listen(place.clone())
        .service(JobsServer::with_events(|events| Worker { events }))
        .service(NewsServer::with_events(|_| Agency))
        .start()
        .expect("the place is free");
    let jobs = JobsClient::connect(place).expect("it is served");
    let mut progress = jobs.progress().expect("a subscription");
    let mut types = jobs.r#type().expect("a subscription");
    let mut ended = jobs.ended_().expect("a subscription");
    let news: NewsClient = jobs.connection().client().expect("it is served");
    let mut told = news.told().expect("a subscription");
    assert_eq!(jobs.run(7), Ok(1));

    let item: JobsProgress = progress.next().expect("it comes").expect("it can be read");
    let shown = "JobsProgress { job: 7, what: \"half\", path: \"/tmp\", samples: [0.5], table: .. }";
    assert_eq!(format!("{item:?}"), shown);
    assert_eq!(item.table.cells, [1, 2]);
    let item: JobsType = types.next().expect("it comes").expect("it can be read");
    assert_eq!(item.r#type.as_deref(), Some("loud"));
    let JobsEnded {} = ended.next().expect("it comes").expect("it can be read");
    drop(server);
    let end: Option<Result<NewsTold, EventError>> = told.next();
    assert!(matches!(end, Some(Err(EventError::Ended(_)))));
    assert!(told.next().is_none());
}
