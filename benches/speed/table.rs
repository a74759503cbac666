//! The table that is printed.

use std::fmt;
use unicode_width::UnicodeWidthStr as _;

/// Sections of rows.
#[derive(Default)]
pub struct Table {
    lines: Vec<Line>,
}

enum Line {
    Section(String),
    Row { what: String, value: String, goal: Option<Goal> },
}

/// What a value should be, and whether it is.
pub struct Goal {
    text: &'static str,
    met: bool,
}

impl Goal {
    /// A value that should not be above `limit`.
    pub fn below(value: f64, limit: f64, text: &'static str) -> Self {
        Self { text, met: value <= limit }
    }

    /// Several things at once.
    pub fn of(met: bool, text: &'static str) -> Self {
        Self { text, met }
    }

    /// A value that should not be below `limit`.
    pub fn above(value: f64, limit: f64, text: &'static str) -> Self {
        Self { text, met: value >= limit }
    }
}

impl Table {
    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        eprintln!("{title}");
        self.lines.push(Line::Section(title.to_owned()));
    }

    /// A value without a goal.
    pub fn row(&mut self, what: &str, value: String) {
        self.push(what, value, None);
    }

    /// A value with its goal.
    pub fn goal(&mut self, what: &str, value: String, goal: Goal) {
        self.push(what, value, Some(goal));
    }

    /// Rows are told as soon as they are known: a whole run takes minutes.
    fn push(&mut self, what: &str, value: String, goal: Option<Goal>) {
        eprintln!("  {what}: {value}");
        self.lines.push(Line::Row { what: what.to_owned(), value, goal });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
        for line in &self.lines {
            match line {
                Line::Section(title) => writeln!(f, "\n{title}")?,
                Line::Row { what, value, goal } => {
                    write!(f, "  {what}{}{value}", pad(what, 60))?;
                    if let Some(Goal { text, met }) = goal {
                        let verdict = if *met { "met" } else { "MISSED" };
                        write!(f, "{}goal {text}{}{verdict}", pad(value, 28), pad(text, 12))?;
                    }
                    writeln!(f)?;
                }
            }
        }
        Ok(())
    }
}
