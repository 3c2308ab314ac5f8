//! Checks of the names of what is generated, against each other and against those of the types that the
//! trait uses.

use std::collections::HashSet;

use syn::ItemTrait;
use syn::TypePath;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};

use crate::model::{Service, item};
use crate::report::Report;
use crate::wording;

/// Reports types of one name: generated ones, or one that is generated and one that the trait uses.
pub(super) fn generated(service: &mut Service<'_>, report: &mut Report) {
    let trait_name = &service.item.ident;
    let used = Used::of(service.item);
    let mut clashing = Vec::new();
    let all = service.generated.all();
    for (number, (name, what, option)) in all.into_iter().enumerate() {
        if option == "events" && service.events.is_empty() {
            continue;
        }
        let at = service.options.names.get(option).unwrap_or(trait_name);
        if let Some((_, other, _)) = all[..number].iter().find(|(earlier, ..)| *earlier == name) {
            report.mistake(at, wording::generated_twice(name, what, other));
        } else if used.0.contains(&name.unraw().to_string()) || name == trait_name {
            report.mistake(at, wording::generated_clash(name, what, option));
        } else {
            continue;
        }
        clashing.push(option);
    }
    // What was reported once is not to clash in the generated code.
    clashing.into_iter().for_each(|option| service.generated.hide(option));
    for event in &mut service.events {
        let before = report.len();
        let name = event.name();
        let item = item(trait_name, event);
        let taken = service.generated.all().into_iter().find(|(taken, ..)| **taken == item);
        if let Some((_, what, _)) = taken {
            report.mistake(name, wording::reserved_event(name.unraw(), what));
        } else if used.0.contains(&item.unraw().to_string()) {
            report.mistake(name, wording::item_clash(trait_name, name.unraw(), &item));
        }
        if report.len() > before {
            report.under(&event.carried.conditions, before);
            event.mistake.get_or_insert(before);
        }
    }
}

/// The types that a trait names by one word.
struct Used(HashSet<String>);

impl Used {
    fn of(item: &ItemTrait) -> Self {
        let mut used = Self(HashSet::new());
        used.visit_item_trait(item);
        used
    }
}

impl<'ast> Visit<'ast> for Used {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let ([segment], None) = (&Vec::from_iter(&path.path.segments)[..], &path.qself) {
            self.0.insert(segment.ident.unraw().to_string());
        }
        visit::visit_type_path(self, path);
    }
}
