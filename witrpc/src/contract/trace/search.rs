//! Searches for values that a type accepts.
//!
//! When a part of a type does not become a value, one of the decisions made for that part was wrong: a
//! number, a text, a number of elements. The search varies one of them at a time, while the others
//! stay. If nothing helps, all return to what they were.

use std::collections::{HashMap, HashSet};

use super::hint;
use super::place::TracePlace;
use super::sample::{Sample, SamplePool, Samples};

/// The most values that are tried for one part.
const MAX_TRIES: usize = 600;

/// The most repeated searches for the values of one part, after values that had been found
/// stopped working.
const MAX_SEARCHES: usize = 4;

/// The most panics of a type's code before the search stops for it.
const MAX_PANICS: usize = 3;

/// A place of a value, and the place of its container: one container may be at two places, and each of
/// these may take other values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spot {
    pub place: TracePlace,
    pub above: TracePlace,
}

impl Spot {
    pub const ROOT: Self = Self { place: TracePlace::Root, above: TracePlace::Root };
}

/// The kind of decision at a spot.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    Value,
    /// How many elements, or whether an option has one.
    Length,
}

/// A decision for a value.
pub type Choice = (Spot, What);

/// The difference of a decision from the default.
#[derive(Default)]
struct Tuned {
    number: usize,
    hints: Samples,
}

/// A decision that is being varied.
struct Trial {
    choice: Choice,
    pool: SamplePool,
    /// The decision before.
    initial: usize,
    /// What to try first, because it has helped elsewhere.
    lucky: Vec<usize>,
    next: usize,
}

/// The search for values of one part.
#[derive(Default)]
struct Attempt {
    trial: Option<Trial>,
    varied: HashSet<Choice>,
    tries: usize,
    searches: usize,
    panics: usize,
    hopeless: bool,
}

/// All searches of a trace.
pub struct Search {
    registered: Samples,
    tuned: HashMap<Choice, Tuned>,
    attempts: HashMap<Spot, Attempt>,
    /// The numbers of the texts that a search has found.
    lucky: Vec<usize>,
    /// The decisions of this pass, in order.
    taken: Vec<(Choice, SamplePool)>,
    /// The parts that are being made, from the outside in, each with the number of decisions before it.
    open: Vec<(Spot, usize)>,
    /// The innermost part that has failed.
    blamed: Option<(Spot, usize)>,
}

impl Search {
    pub fn new(registered: Samples) -> Self {
        Self {
            registered,
            tuned: HashMap::new(),
            attempts: HashMap::new(),
            lucky: Vec::new(),
            taken: Vec::new(),
            open: Vec::new(),
            blamed: None,
        }
    }

    pub fn begin_pass(&mut self) {
        self.taken.clear();
        self.open.clear();
        self.blamed = None;
    }

    /// Makes a decision, and returns its sample.
    pub fn decide(&mut self, choice: Choice, pool: SamplePool) -> Option<Sample> {
        self.taken.push((choice, pool));
        match self.tuned.get(&choice) {
            Some(Tuned { number, hints }) => pool.get(*number, &[&self.registered, hints]),
            None => pool.get(0, &[]),
        }
    }

    /// Returns the number of decisions in this pass.
    pub fn decisions(&self) -> usize {
        self.taken.len()
    }

    /// Returns the number of decisions before the failed part was begun.
    pub fn decided_before_failure(&self) -> usize {
        self.blamed.or(self.open.last().copied()).map_or(0, |(_, since)| since)
    }

    /// Returns how many parts are being made.
    pub fn open_parts(&self) -> usize {
        self.open.len()
    }

    /// Begins to make a part.
    pub fn begin(&mut self, part: Spot) {
        self.open.push((part, self.taken.len()));
    }

    /// Ends the part that [`begin`](Self::begin) began.
    pub fn end(&mut self, part: Spot, made: bool) {
        let since = loop {
            match self.open.pop() {
                // A type that continued after an error has left what is above it.
                Some((other, _)) if other != part => {}
                Some((_, since)) => break since,
                None => return,
            }
        };
        if !made {
            self.blamed.get_or_insert((part, since));
            return;
        }
        self.blamed = None;
        if let Some(attempt) = self.attempts.get_mut(&part)
            && let Some(trial) = attempt.trial.take()
        {
            attempt.varied.clear();
            let found = self.tuned.get(&trial.choice).map_or(0, |tuned| tuned.number);
            if matches!(trial.pool, SamplePool::Text) && !self.lucky.contains(&found) {
                self.lucky.push(found);
            }
        }
    }

    /// Changes one of the decisions for the failed part, after a failed pass. Returns `false` if
    /// nothing is left to try.
    pub fn vary(&mut self, error: &str, panicked: bool) -> bool {
        let last_open = self.open.last().copied();
        let (part, since) = self.blamed.take().or(last_open).unwrap_or((Spot::ROOT, 0));
        let taken = self.variable(since, error);
        let attempt = self.attempts.entry(part).or_default();
        if attempt.hopeless {
            return false;
        }
        if attempt.trial.is_none() && attempt.varied.is_empty() {
            attempt.searches += 1;
        }
        attempt.tries += 1;
        attempt.panics += usize::from(panicked);
        let enough = attempt.tries > MAX_TRIES
            || attempt.searches > MAX_SEARCHES
            || attempt.panics > MAX_PANICS;
        loop {
            if let Some(trial) = &mut attempt.trial {
                let tuned = self.tuned.entry(trial.choice).or_default();
                let all = trial.pool.len(&[&self.registered, &tuned.hints]);
                if let Some(number) = trial.next(all).filter(|_| !enough) {
                    tuned.number = number;
                    return true;
                }
                tuned.number = trial.initial;
                attempt.varied.insert(trial.choice);
                attempt.trial = None;
            }
            let next = taken.iter().find(|(choice, _)| !attempt.varied.contains(choice));
            let Some((choice, pool)) = next.filter(|_| !enough) else {
                // If nothing could be varied, the next time may differ.
                attempt.hopeless = enough || !attempt.varied.is_empty();
                return false;
            };
            let initial = self.tuned.get(choice).map_or(0, |tuned| tuned.number);
            let lucky = if let SamplePool::Text = pool { self.lucky.clone() } else { Vec::new() };
            attempt.trial = Some(Trial { choice: *choice, pool: *pool, initial, lucky, next: 0 });
        }
    }

    /// Returns the decisions since then that can be varied, in the order in which to vary them: lengths
    /// first, then from the last to the first. The error suggests further values.
    fn variable(&mut self, since: usize, error: &str) -> Vec<(Choice, SamplePool)> {
        let hints = hint::read(error);
        let mut found: Vec<(Choice, SamplePool)> = Vec::new();
        for (choice, pool) in self.taken.iter().skip(since).rev() {
            if matches!(pool, SamplePool::Fixed(0 | 1))
                || found.iter().any(|(known, _)| known == choice)
            {
                continue;
            }
            found.push((*choice, *pool));
            if hints != Samples::default() && !matches!(pool, SamplePool::Fixed(_)) {
                self.tuned.entry(*choice).or_default().hints.merge(hints.clone());
            }
        }
        found.sort_by_key(|((_, what), _)| *what == What::Value);
        found
    }
}

impl Trial {
    /// Returns the next number of `all`.
    fn next(&mut self, all: usize) -> Option<usize> {
        if let Some(number) = self.lucky.pop() {
            return Some(number);
        }
        if self.next == self.initial {
            self.next += 1;
        }
        self.next += 1;
        (self.next <= all).then(|| self.next - 1)
    }
}
