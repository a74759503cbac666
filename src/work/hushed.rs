//! Faults that last are said once, when they change, and once an hour: a log in which one line
//! stands every ten seconds hides the others.

use std::{collections::BTreeMap, time::Duration};

/// After so long a fault that lasts is said again.
const AGAIN: Duration = Duration::from_hours(1);

/// What was said of what.
#[derive(Debug)]
pub(super) struct Hushed {
    /// So many looks find the same before it is said again.
    looks: u32,
    said: BTreeMap<String, (String, u32)>,
}

impl Hushed {
    /// For something that is looked at once in every `pause`.
    pub(super) fn every(pause: Duration) -> Self {
        let looks = AGAIN.as_secs() / pause.as_secs().max(1);
        Self { looks: u32::try_from(looks).unwrap_or(u32::MAX), said: BTreeMap::new() }
    }

    /// Whether a fault is to be said now.
    pub(super) fn is_news(&mut self, about: &str, fault: &str) -> bool {
        match self.said.get_mut(about) {
            Some((said, silent)) if said == fault && *silent + 1 < self.looks => {
                *silent += 1;
                false
            }
            _ => {
                self.said.insert(about.to_owned(), (fault.to_owned(), 0));
                true
            }
        }
    }

    /// Whether there was a fault that is now over.
    pub(super) fn is_over(&mut self, about: &str) -> bool {
        self.said.remove(about).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Hushed;
    use std::time::Duration;

    #[test]
    fn a_fault_is_said_when_it_begins_when_it_changes_and_once_an_hour() {
        let mut hushed = Hushed::every(Duration::from_mins(20));
        let mut said = Vec::new();
        for fault in ["a", "a", "a", "a", "b", "b"] {
            said.push(hushed.is_news("portal", fault));
        }
        assert_eq!(said, [true, false, false, true, true, false]);
        assert!(hushed.is_news("other", "b"));
        assert!(hushed.is_over("portal") && !hushed.is_over("portal"));
        assert!(hushed.is_news("portal", "b"));
    }
}
