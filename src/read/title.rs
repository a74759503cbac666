//! The title of a lesson's text and nothing else of it: what a frozen lesson was called.

use super::{
    faults::Faults,
    node::{self, Value},
};
use crate::model::SourceFile;
use std::{path::PathBuf, sync::Arc};

/// The title in the front matter of a text; `None` where none can be read.
#[must_use]
pub fn title(text: &str) -> Option<String> {
    let rest = text.strip_prefix("---")?.split_once('\n')?.1;
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            break;
        }
        end += line.len();
    }
    let file = Arc::new(SourceFile { path: PathBuf::new(), text: text.into() });
    let node = node::from_yaml(&rest[..end], 0, &mut Faults::new(&file))?;
    let Value::Mapping(entries) = node.value else { return None };
    entries.into_iter().find_map(|(key, node)| match node.value {
        Value::Scalar(title) if key.text == "title" && !title.trim().is_empty() => Some(title),
        _ => None,
    })
}
