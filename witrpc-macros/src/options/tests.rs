//! The page of `#[wit_service]` lists the options of the table.

use std::collections::BTreeSet;

use super::{OptionPlace, RULES};

/// Returns the options that a section of the page lists: what stands in backticks before the colon of each
/// entry.
fn listed<'a>(page: &'a str, heading: &str) -> BTreeSet<&'a str> {
    let (_, section) = page.split_once(heading).expect("the page has the section");
    let section = section.split_once("# ").map_or(section, |(section, _)| section);
    let entries = section.lines().filter_map(|line| line.strip_prefix("/// - "));
    let heads = entries.map(|entry| entry.split_once(':').map_or(entry, |(head, _)| head));
    heads.flat_map(|head| head.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_page_of_the_attribute_lists_each_option_where_it_belongs() {
    let page = include_str!("../lib.rs");
    for (place, heading) in [
        (OptionPlace::Service, "/// # Options of the service\n"),
        (OptionPlace::Method, "/// # Options of a method, `#[wit(..)]`\n"),
        (OptionPlace::Argument, "/// # Options of an argument, `#[wit(..)]`\n"),
    ] {
        let rules = RULES.iter().filter(|rule| rule.place == place);
        let forms: BTreeSet<_> = rules.map(|rule| rule.form).collect();
        assert_eq!(listed(page, heading), forms, "the options of {}", place.described());
    }
}
