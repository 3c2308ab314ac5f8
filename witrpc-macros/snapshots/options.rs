#[wit_service(crate = crate::vendored, name = "calc")]
pub(crate) trait Calculator: Send + Sync {
    #[cfg(unix)]
    #[wit(rename = "type", idempotent)]
    fn r#type(&self, r#fn: u8, #[wit(ctx)] cx: &CallContext) -> u8;
    #[deprecated]
    #[cfg_attr(windows, cfg(feature = "calc"), doc = "On Windows.")]
    #[wit(result)]
    fn outcome(&self) -> Outcome;
}
