#[wit_service]
/// Runs jobs.
pub trait Jobs {
    fn run(&self, steps: u32);
    /// It goes on.
    #[wit(event)]
    fn progress(&self, job: u64, what: &str, path: &Path, samples: &[f64], table: &Table);
    #[cfg(unix)]
    #[wit(event, overflow = "wait 5ms", rename = "end")]
    fn all_ended(&self);
}
