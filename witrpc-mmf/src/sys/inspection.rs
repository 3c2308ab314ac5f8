//! Keeps other processes of the user from looking into this one.

use std::io;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Keeps other processes of the same user from opening the descriptors and the memory of this process through
/// `/proc`, and from tracing it (`PR_SET_DUMPABLE`). The process leaves no core dump from then on. Root may
/// still do all of that.
///
/// Call it before the first connection. Otherwise such a process can open a region in the moment between its
/// creation and its seal, and write to it later.
///
/// # Errors
///
/// The system, which no Linux does, or a filter of system calls refuses it.
pub fn forbid_inspection() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

#[cfg(test)]
mod tests {
    use rustix::process::dumpable_behavior;

    use crate::rendezvous::tests::in_own_process;

    use super::*;

    #[test]
    fn after_inspection_is_forbidden_the_process_cannot_be_dumped() {
        let test =
            "sys::inspection::tests::after_inspection_is_forbidden_the_process_cannot_be_dumped";
        in_own_process(test, || {
            forbid_inspection().expect("every Linux has it");
            assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        });
    }
}
