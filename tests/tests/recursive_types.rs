//! Services with ordinary derived types that contain themselves, have many variants, or are from
//! the standard library. They start with the default builder, and every variant arrives.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI128, NonZeroU8, NonZeroU64, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use witrpc::{CallError, Codec, Endpoint, InProcess, Mmf, WitServer, wit_service};
use witrpc_tests::CODECS;

/// Returns a place in shared memory, and one in this process.
fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

/// Defines an enum that contains another one in every way, and the values of all its variants.
macro_rules! wide {
    (
        $(#[$docs:meta])*
        $name:ident of $other:ident:
        units $($unit:ident)*; leaves $($leaf:ident)*; boxes $($boxed:ident)*;
        lists $($list:ident)*; fields $($fields:ident)*;
    ) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "there are many")]
        pub enum $name {
            $($boxed(Box<$other>),)*
            $($list(Vec<(String, $other)>),)*
            $($fields { first: Option<Box<$name>>, second: BTreeMap<Key, $other>, at: IpAddr },)*
            $($leaf(u32, (i8, Duration)),)*
            $($unit,)*
        }

        impl $name {
            fn all() -> Vec<Self> {
                let mut all = vec![$(Self::$unit,)* $(Self::$leaf(7, (-1, Duration::new(2, 3))),)*];
                let one = all[0].clone();
                let inner = $other::one();
                $(all.push(Self::$boxed(Box::new(inner.clone())));)*
                $(all.push(Self::$list(vec![("a".to_owned(), inner.clone()); 2]));)*
                $(all.push(Self::$fields {
                    first: Some(Box::new(one.clone())),
                    second: [(Key::Blue, inner.clone()), (Key::Green, inner.clone())].into(),
                    at: Ipv6Addr::LOCALHOST.into(),
                });)*
                all
            }

            fn one() -> Self {
                [$(Self::$unit),*][0].clone()
            }
        }
    };
}

/// A key of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// The first.
    Red,
    /// The second.
    Green,
    /// The third.
    Blue,
}

wide! {
    /// An expression of a language.
    Expression of Statement:
    units U0 U1 U2 U3 U4 U5 U6 U7 U8 U9 U10;
    leaves L0 L1 L2 L3 L4 L5 L6 L7 L8 L9;
    boxes B0 B1 B2 B3 B4 B5 B6 B7 B8 B9;
    lists V0 V1 V2 V3 V4 V5 V6 V7 V8 V9;
    fields F0 F1 F2 F3 F4 F5 F6 F7 F8 F9;
}

wide! {
    /// A statement of a language.
    Statement of Expression:
    units U0 U1 U2 U3 U4 U5 U6 U7 U8 U9 U10;
    leaves L0 L1 L2 L3 L4 L5 L6 L7 L8 L9;
    boxes B0 B1 B2 B3 B4 B5 B6 B7 B8 B9;
    lists V0 V1 V2 V3 V4 V5 V6 V7 V8 V9;
    fields F0 F1 F2 F3 F4 F5 F6 F7 F8 F9;
}

/// Contains itself before it leads to a type with further variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tree {
    /// Nothing.
    Leaf,
    /// One.
    Boxed(Box<Tree>),
    /// Many.
    List(Vec<Tree>),
    /// By name.
    Table(BTreeMap<String, Tree>),
    /// With names of its own.
    Named {
        /// Perhaps.
        left: Option<Box<Tree>>,
        /// Beside what has variants.
        right: Box<(Tree, Level<0>)>,
    },
}

/// A long path to the last variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Level<const N: usize> {
    /// Goes back to the tree.
    Around(Vec<Tree>),
    /// Leads on.
    On(Box<Beyond>),
}

/// Comes after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Beyond {
    /// Back to the start.
    Back(Box<Tree>),
    /// Through a result, an array, a tuple and a generic type.
    Through([Result<Pair<Step>, (Key, Step)>; 2]),
}

/// A generic type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair<T> {
    left: T,
    right: Option<T>,
}

/// Is at the end of the path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// The whole again.
    Whole(Box<Tree>),
    /// A pair of itself.
    Pair(Box<Pair<Step>>),
    /// The last.
    Last(Last),
}

/// Recurses in all variants but the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Last {
    /// Two of it.
    Both(Box<Last>, Box<Last>),
    /// One and a key.
    Keyed(Key, Box<Last>),
    /// One of a structure.
    Inside(Box<Pair<Last>>),
    /// None.
    End,
}

fn trees() -> Vec<Tree> {
    let end = || Box::new(Last::End);
    let last = [
        Last::End,
        Last::Both(end(), end()),
        Last::Keyed(Key::Green, end()),
        Last::Inside(Box::new(Pair { left: Last::End, right: Some(*end()) })),
    ];
    let mut steps: Vec<_> = last.into_iter().map(Step::Last).collect();
    let pair = Pair { left: steps[1].clone(), right: Some(steps[2].clone()) };
    steps.push(Step::Pair(Box::new(pair)));
    steps.push(Step::Whole(Box::new(Tree::List(vec![Tree::Leaf]))));
    let mut levels: Vec<Level<0>> = Vec::new();
    for step in steps {
        let pair = Pair { left: step.clone(), right: None };
        let through = Beyond::Through([Ok(pair), Err((Key::Red, step))]);
        levels.push(Level::On(Box::new(through)));
    }
    levels.push(Level::Around(vec![Tree::Leaf]));
    levels.push(Level::On(Box::new(Beyond::Back(Box::new(Tree::Leaf)))));
    let named = levels.into_iter().map(|level| Tree::Named {
        left: Some(Box::new(Tree::Boxed(Box::new(Tree::Leaf)))),
        right: Box::new((Tree::Table([("a".to_owned(), Tree::Leaf)].into()), level)),
    });
    named.chain([Tree::Leaf, Tree::List(vec![Tree::Leaf; 3])]).collect()
}

/// Types of the standard library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    addresses: Vec<IpAddr>,
    sockets: HashMap<String, SocketAddr>,
    only_v4: Option<Ipv4Addr>,
    pause: Duration,
    since: SystemTime,
    range: Range<u32>,
    inclusive: RangeInclusive<i8>,
    bounds: (Bound<u16>, Bound<String>, Bound<Key>),
    outcome: Result<(), Key>,
    path: PathBuf,
    os: OsString,
    positive: (NonZeroU8, NonZeroU64, NonZeroI128),
    letter: char,
    wide: (i128, u128),
    wrapping: Wrapping<u8>,
    text: Box<str>,
    fixed: [[Option<Key>; 3]; 2],
    keys: BTreeSet<Key>,
    letters: HashSet<char>,
    lists: (VecDeque<f32>, LinkedList<Result<u8, Standing>>),
}

/// A type like an ordering.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "it is plain")]
#[repr(i8)]
pub enum Standing {
    Less = -1,
    Equal,
    Greater,
}

fn standards() -> Vec<Standard> {
    let first = Standard {
        addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        sockets: [("a", "127.0.0.1:1"), ("b", "[::1]:2")]
            .map(|(name, at)| (name.to_owned(), at.parse().unwrap()))
            .into(),
        only_v4: Some(Ipv4Addr::BROADCAST),
        pause: Duration::new(5, 6),
        since: SystemTime::UNIX_EPOCH + Duration::new(7, 8),
        range: 3..9,
        inclusive: -3..=3,
        bounds: (Bound::Included(1), Bound::Excluded("a".to_owned()), Bound::Unbounded),
        outcome: Err(Key::Blue),
        path: "/a/b".into(),
        os: "c".into(),
        positive: (NonZeroU8::MIN, NonZeroU64::MAX, NonZeroI128::new(-9).unwrap()),
        letter: 'ß',
        wide: (-5, 6),
        wrapping: Wrapping(255),
        text: "text".into(),
        fixed: [[Some(Key::Red), None, Some(Key::Blue)], [None; 3]],
        keys: [Key::Green, Key::Red].into(),
        letters: ['a', 'b'].into(),
        lists: (
            [0.5, -1.0].into(),
            [Ok(1), Err(Standing::Less), Err(Standing::Equal), Err(Standing::Greater)].into(),
        ),
    };
    let second = Standard {
        only_v4: None,
        bounds: (Bound::Unbounded, Bound::Included("b".to_owned()), Bound::Excluded(Key::Green)),
        outcome: Ok(()),
        ..first.clone()
    };
    vec![first, second]
}

/// Takes and returns types that contain themselves.
#[wit_service]
pub trait Language {
    /// One of the two types.
    fn expression(&self, expression: Expression) -> Statement;
    /// The other type.
    fn statements(&self, statements: Vec<Statement>) -> Result<Vec<Statement>, Expression>;
    /// A tree.
    fn tree(&self, tree: Tree) -> Tree;
    /// An optional part of a tree.
    fn step(&self, step: Option<Pair<Step>>) -> Result<Step, Last>;
    /// Types of the standard library.
    fn standard(&self, standard: Standard) -> Standard;
}

/// Takes values that JSON cannot carry.
#[wit_service]
pub trait Nested {
    /// Options of options.
    fn options(&self, options: Option<Option<Box<Step>>>) -> Option<Option<Box<Step>>>;
    /// Maps whose keys are not texts.
    fn maps(&self, maps: BTreeMap<(Choice, u8), Option<Choice>>) -> HashMap<i128, Option<Choice>>;
}

/// Has content and is a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Choice {
    /// None.
    Nothing(()),
    /// A key.
    Plain(Key),
    /// A choice again.
    Again(Option<Box<Choice>>, [char; 2]),
}

struct Echo;

impl Language for Echo {
    fn expression(&self, expression: Expression) -> Statement {
        Statement::B0(Box::new(expression))
    }

    fn statements(&self, statements: Vec<Statement>) -> Result<Vec<Statement>, Expression> {
        match statements.as_slice() {
            [Statement::B1(inner)] => Err((**inner).clone()),
            _ => Ok(statements),
        }
    }

    fn tree(&self, tree: Tree) -> Tree {
        tree
    }

    fn step(&self, step: Option<Pair<Step>>) -> Result<Step, Last> {
        match step {
            Some(Pair { left: Step::Last(last), right: None }) => Err(last),
            Some(pair) => Ok(Step::Pair(Box::new(pair))),
            None => Err(Last::End),
        }
    }

    fn standard(&self, standard: Standard) -> Standard {
        standard
    }
}

impl Nested for Echo {
    fn options(&self, options: Option<Option<Box<Step>>>) -> Option<Option<Box<Step>>> {
        options
    }

    fn maps(&self, maps: BTreeMap<(Choice, u8), Option<Choice>>) -> HashMap<i128, Option<Choice>> {
        maps.into_values().enumerate().map(|(n, choice)| (i128::MIN + n as i128, choice)).collect()
    }
}

/// Asserts that a contract has no unknown part.
fn assert_known(contract: &dyn fmt::Display) {
    let contract = contract.to_string();
    assert!(!contract.contains('?') && !contract.contains("not traced"), "{contract}");
}

#[test]
fn every_variant_of_recursive_types_arrives() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone());
        let _server = builder.service(LanguageServer::new(Echo)).start().unwrap();
        for codec in CODECS {
            let client = LanguageClient::builder(place.clone()).codec(codec).connect().unwrap();
            assert_known(&client.connection().contract());
            for expression in Expression::all() {
                let back = client.expression(expression.clone());
                assert_eq!(back, Ok(Statement::B0(Box::new(expression.clone()))), "{codec}");
                let error = client.statements(vec![Statement::B1(Box::new(expression.clone()))]);
                assert_eq!(error, Err(CallError::App(expression)), "{codec}");
            }
            assert_eq!(client.statements(Statement::all()), Ok(Statement::all()), "{codec}");
            for tree in trees() {
                assert_eq!(client.tree(tree.clone()), Ok(tree), "{codec}");
            }
            let last = Last::Keyed(Key::Blue, Box::new(Last::End));
            let pair = Pair { left: Step::Last(last.clone()), right: None };
            let error = client.step(Some(pair));
            assert_eq!(error, Err(CallError::App(last)), "{codec}");
            for standard in standards() {
                assert_eq!(client.standard(standard.clone()), Ok(standard), "{codec}");
            }
        }
    }
}

#[test]
fn nested_options_and_keys_of_every_kind_arrive_over_postcard() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).codecs([Codec::Postcard]);
        let _server = builder.service(NestedServer::new(Echo)).start().unwrap();
        let client = NestedClient::connect(place).unwrap();
        assert_known(&client.connection().contract());
        for options in [None, Some(None), Some(Some(Box::new(Step::Last(Last::End))))] {
            assert_eq!(client.options(options.clone()), Ok(options));
        }
        let choices = [
            Choice::Nothing(()),
            Choice::Plain(Key::Blue),
            Choice::Again(Some(Box::new(Choice::Plain(Key::Red))), ['a', 'ß']),
        ];
        let maps = choices.clone().map(|choice| ((choice.clone(), 1), Some(choice)));
        let numbers = [0, 1, 2].map(|n: i128| i128::MIN + n);
        let back = numbers.into_iter().zip(choices.map(Some)).collect();
        assert_eq!(client.maps(maps.into()), Ok(back));
    }
}
