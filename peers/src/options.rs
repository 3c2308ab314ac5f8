//! The command line.

/// What was asked for.
pub(crate) struct Options {
    /// Under two minutes: that everything runs, not what it measures.
    pub(crate) quick: bool,
    /// The folder of the document and the plot.
    pub(crate) out: String,
}

const USAGE: &str = "takes --quick, and --out FOLDER";

impl Options {
    pub(crate) fn from_args(args: &[String]) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
        let mut options = Self { quick: false, out: folder.to_owned() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match (arg.as_str(), args.len()) {
                ("--quick", _) => options.quick = true,
                ("--out", 1..) => options.out.clone_from(args.next().expect("counted just now")),
                (other, _) => {
                    eprintln!("unknown option {other}: this program {USAGE}");
                    std::process::exit(2);
                }
            }
        }
        options
    }
}
