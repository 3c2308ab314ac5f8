use std::io;
use std::num::ParseIntError;

use thiserror::Error;

use super::*;
use bounds::{MAX_SOURCES, MAX_TEXT};

/// An error with a source.
#[derive(Debug, Error)]
#[error("{text}")]
struct Layer {
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Returns `depth` errors, each the source of the one before.
fn layers(depth: usize) -> Layer {
    let innermost = Layer { text: "0".to_owned(), source: None };
    (1..depth).fold(innermost, |source, number| Layer {
        text: number.to_string(),
        source: Some(Box::new(source)),
    })
}

fn parse(text: &str) -> Result<u8, RemoteError> {
    let number = text.parse();
    let number = number.map_err(|error: ParseIntError| Layer {
        text: format!("{text:?} is no limit"),
        source: Some(error.into()),
    });
    Ok(number?)
}

#[test]
fn an_error_brings_its_sources_and_the_kind_of_the_first_that_has_one() {
    let error = parse("many").unwrap_err();
    assert_eq!(error.message(), "\"many\" is no limit");
    assert_eq!(error.sources().collect::<Vec<_>>(), ["invalid digit found in string"]);
    assert_eq!(error.kind(), ErrorKind::Other);
    assert_eq!(error.to_string(), "\"many\" is no limit: invalid digit found in string");

    let denied = io::Error::new(ErrorKind::PermissionDenied, "not yours");
    let error = RemoteError::from(Layer { text: "no".to_owned(), source: Some(denied.into()) });
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.with_kind(ErrorKind::TimedOut).kind(), ErrorKind::TimedOut);
}

#[test]
fn an_error_that_is_passed_on_stays_as_it_was() {
    let first = parse("many").unwrap_err().with_kind(ErrorKind::InvalidInput);
    let called: Result<u8, CallError<RemoteError>> = Err(CallError::App(first.clone()));
    let pass_on = || -> Result<u8, RemoteError> { Ok(called?) };
    assert_eq!(pass_on().unwrap_err(), first);

    let boxed: Box<dyn Error + Send + Sync> = first.clone().into();
    assert_eq!(boxed.to_string(), first.to_string());
    assert_eq!(RemoteError::new(boxed), first);
    let boxed: Box<dyn Error> = first.clone().into();
    assert_eq!(RemoteError::of(&*boxed), first);

    let outer = Layer { text: "outer".to_owned(), source: Some(first.clone().into()) };
    let outer = RemoteError::from(outer);
    assert_eq!(outer.kind(), ErrorKind::InvalidInput);
    assert_eq!(outer.to_string(), format!("outer: {first}"));
}

#[test]
fn any_other_end_of_a_call_is_an_error_as_all_are() {
    let error = RemoteError::from(CallError::<RemoteError>::PeerDied);
    assert_eq!(error.message(), CallError::<RemoteError>::PeerDied.to_string());
}

#[test]
fn long_errors_are_cut_where_they_are_made() {
    let long = RemoteError::from(layers(1000));
    assert_eq!(long.message(), "999");
    assert_eq!(long.sources().count(), MAX_SOURCES);

    // One that is passed on under others keeps to the bound too.
    let outer = Layer { text: "outer".to_owned(), source: Some(long.into()) };
    assert_eq!(RemoteError::from(outer).sources().count(), MAX_SOURCES);

    // Between characters: there is none that ends at the bound.
    let text = format!("a{}", "ü".repeat(MAX_TEXT));
    let cut = RemoteError::new(&*text);
    assert_eq!(cut.message(), &text[..MAX_TEXT - 1]);
    assert_eq!(RemoteError::new("x".repeat(MAX_TEXT)).message().len(), MAX_TEXT);
}

#[test]
fn long_errors_are_cut_where_they_arrive() {
    /// The same without bounds, as a hostile peer sends it.
    #[derive(Serialize)]
    struct Unbounded {
        kind: String,
        message: String,
        sources: Vec<String>,
    }

    let long = "ü".repeat(MAX_TEXT);
    let hostile = Unbounded {
        kind: long.clone(),
        message: long.clone(),
        sources: vec![long.clone(); MAX_SOURCES + 100],
    };
    let bytes = postcard::to_allocvec(&hostile).unwrap();
    let (arrived, rest) = postcard::take_from_bytes::<RemoteError>(&bytes).unwrap();
    assert!(rest.is_empty(), "what is cut is read nevertheless");
    assert_eq!(arrived.kind(), ErrorKind::Other);
    assert_eq!(arrived.message(), &long[..MAX_TEXT]);
    assert!(arrived.sources().all(|source| source.len() == MAX_TEXT));
    assert_eq!(arrived.sources().count(), MAX_SOURCES);
    #[cfg(feature = "json")]
    assert_eq!(
        serde_json::from_str::<RemoteError>(&serde_json::to_string(&hostile).unwrap()).unwrap(),
        arrived
    );
}

#[test]
fn every_kind_crosses_by_its_name() {
    for (kind, name) in kind::KINDS {
        let error = RemoteError::new("no").with_kind(*kind);
        let bytes = postcard::to_allocvec(&error).unwrap();
        assert_eq!(bytes[0] as usize, name.len());
        assert_eq!(bytes[1..].get(..name.len()), Some(name.as_bytes()));
        assert_eq!(postcard::from_bytes::<RemoteError>(&bytes).unwrap().kind(), *kind);
        assert_eq!(*name, format!("{kind:?}"));
    }
}
