//! The command line.

/// What a benchmark was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// A few seconds a benchmark: that it runs, not what it measures.
    pub(crate) quick: bool,
    /// Figures as rows of a Markdown table.
    pub(crate) table: bool,
}

impl Options {
    /// Reads `--quick` and `--table`. Cargo adds `--bench`, which says nothing here.
    pub(crate) fn from_args(args: &[String]) -> Self {
        let mut options = Self { quick: false, table: false };
        for arg in args {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--table" => options.table = true,
                "--bench" => {}
                other => {
                    eprintln!("unknown option {other}: this benchmark takes --quick and --table");
                    std::process::exit(2);
                }
            }
        }
        options
    }
}
