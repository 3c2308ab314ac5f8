//! Hints in a type's own errors about the values that it accepts: "expected an array of length 5", "a
//! port is at least 1024", "one of `red`, `green`".

use super::sample::Samples;

/// The most numbers, and the most words, that are taken from the errors at one place.
const MOST: usize = 12;

/// The most characters of an error that are read.
const MOST_OF_ERROR: usize = 400;

/// Returns the values that an error's text may mean.
pub fn read(words: &str) -> Samples {
    let mut hints = Samples::default();
    let words: String = words.chars().take(MOST_OF_ERROR).collect();
    for number in numbers(&words) {
        match number.parse::<i128>() {
            Ok(integer) => {
                for near in [Some(integer), integer.checked_add(1), integer.checked_sub(1)] {
                    add(&mut hints.integers, near);
                }
            }
            Err(_) => add(&mut hints.decimals, number.parse::<f64>().ok()),
        }
    }
    for quote in ['`', '"', '\''] {
        for quoted in words.split(quote).skip(1).step_by(2) {
            add(&mut hints.texts, Some(quoted.to_owned()).filter(|text| !text.is_empty()));
        }
    }
    hints
}

impl Samples {
    /// Adds the samples of `others` that are not in it, up to a limit.
    pub fn merge(&mut self, others: Self) {
        others.integers.into_iter().for_each(|integer| add(&mut self.integers, Some(integer)));
        others.decimals.into_iter().for_each(|decimal| add(&mut self.decimals, Some(decimal)));
        others.texts.into_iter().for_each(|text| add(&mut self.texts, Some(text)));
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, value: Option<T>) {
    if let Some(value) = value.filter(|value| list.len() < MOST && !list.contains(value)) {
        list.push(value);
    }
}

/// Returns the decimal numbers in a text. `1..=5` holds two, `0.5` is one.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .flat_map(|part| part.split(".."))
        .map(|part| part.trim_matches('.'))
        .filter(|part| !part.is_empty() && part.len() <= 20)
        .take(MOST)
}
