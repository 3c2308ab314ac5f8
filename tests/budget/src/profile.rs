//! What callgrind writes: how many instructions each function executed itself.

use std::collections::{BTreeMap, HashMap};

/// One profile.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Profile {
    /// Whether it was written because a block ended, and not because the program did.
    pub(crate) of_block: bool,
    /// The instructions of each function, without those of the functions that it calls.
    pub(crate) functions: BTreeMap<String, u64>,
}

impl Profile {
    /// Reads callgrind's format, version 1, with positions by line and instructions as the only cost.
    ///
    /// # Errors
    ///
    /// The line that does not fit that format.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut profile = Self::default();
        // A name stands behind its number where that occurs first.
        let mut names = HashMap::new();
        let mut function = String::new();
        let mut lines = text.lines();
        let mut total: Option<u64> = None;
        while let Some(line) = lines.next() {
            let wrong = || format!("no line of a callgrind profile: {line}");
            if let Some(name) = line.strip_prefix("fn=") {
                function = resolve(&mut names, name).ok_or_else(wrong)?;
            } else if let Some(name) = line.strip_prefix("cfn=") {
                resolve(&mut names, name).ok_or_else(wrong)?;
            } else if line.starts_with("calls=") {
                // The cost of the called function, which counts there.
                lines.next();
            } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
                let (_, cost) = line.split_once(' ').ok_or_else(wrong)?;
                let cost: u64 = cost.parse().map_err(|_| wrong())?;
                *profile.functions.entry(function.clone()).or_default() += cost;
            } else if let Some(trigger) = line.strip_prefix("desc: Trigger: ") {
                profile.of_block = trigger.starts_with("--dump-before=");
            } else if let Some(events) = line.strip_prefix("events: ") {
                (events.trim() == "Ir").then_some(()).ok_or_else(wrong)?;
            } else if let Some(sum) = line.strip_prefix("totals: ") {
                total = Some(sum.trim().parse().map_err(|_| wrong())?);
            }
        }
        let sum: u64 = profile.functions.values().sum();
        match total {
            Some(total) if total == sum => Ok(profile),
            Some(total) => {
                Err(format!("a profile of {total} instructions gives {sum} to functions"))
            }
            None => Err("a profile without its last line".to_owned()),
        }
    }
}

/// The function that `(number) name` or a later `(number)` means.
fn resolve(names: &mut HashMap<String, String>, text: &str) -> Option<String> {
    let (number, name) = text.split_once(')')?;
    if let Some(name) = name.strip_prefix(' ') {
        names.insert(number.to_owned(), name.to_owned());
    }
    names.get(number).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
# callgrind format
version: 1
cmd:  ./program

desc: Trigger: --dump-before=program::block_ends

positions: line
events: Ir
summary: 18

ob=(1) /program
fl=(1) main.rs
fn=(1) program::main
4 3
fi=(2) option.rs
+1 2
cfi=(1)
cfn=(2) program::add::<u64>
calls=2 9
* 13
fe=(1)
* 1

fn=(2)
9 7
-2 5

totals: 18
";

    #[test]
    fn each_function_has_what_it_executed_itself() {
        let profile = Profile::parse(PROFILE).unwrap();
        assert!(profile.of_block);
        let expected = [("program::add::<u64>", 12), ("program::main", 6)];
        assert!(profile.functions.iter().map(|(name, count)| (name.as_str(), *count)).eq(expected));
    }

    #[test]
    fn the_profile_at_the_end_of_the_program_is_of_no_block() {
        let at_end = PROFILE.replace("--dump-before=program::block_ends", "Program termination");
        assert!(!Profile::parse(&at_end).unwrap().of_block);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for (right, wrong) in [
            ("-2 5", "-2 4"),
            ("-2 5", "-2"),
            ("-2 5", "-2 x"),
            ("fn=(2)\n", "fn=(3)\n"),
            ("events: Ir", "events: Ir Dr"),
            ("totals: 18", ""),
        ] {
            let text = PROFILE.replacen(right, wrong, 1);
            assert_ne!(text, PROFILE);
            assert!(Profile::parse(&text).is_err(), "{wrong:?}");
        }
    }
}
