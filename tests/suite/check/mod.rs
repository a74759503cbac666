//! The check: its rules on a corpus of texts, its fixes, its formats.

mod corpus;
mod finished;
mod fixes;
mod hostile;
mod stories;
mod town;
