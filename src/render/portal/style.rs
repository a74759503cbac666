//! What the portal's style sheets see: colours and family.

use crate::{
    model::{Audience, HeadlinePart},
    render::{Palette, Scene},
};
use serde::Serialize;

/// The sheet's colours and family.
#[derive(Debug, Serialize)]
pub(super) struct Style<'a> {
    elder: bool,
    student: bool,
    /// Characters of the longest headline line: the elder headline fills the column.
    longest: usize,
    page: &'a str,
    ground: &'a str,
    title: &'a str,
    ink: &'a str,
    mute: &'a str,
    lure: &'a str,
    heading: &'a str,
    button: &'a str,
    focus: &'a str,
    square: &'a str,
    on_square: &'a str,
    paper: &'a str,
    tread1: &'a str,
    tread2: &'a str,
    tread3: &'a str,
    pale1: &'a str,
    pale2: &'a str,
    pale3: &'a str,
    last_step: &'a str,
    panel: &'a str,
    lemon: &'a str,
    alert: &'a str,
    on_alert: &'a str,
    field: &'a str,
    dark_page: &'a str,
    dark_card: &'a str,
    dark_square: &'a str,
}

impl<'a> Style<'a> {
    pub(super) fn new(scene: &Scene<'_>, palette: &'a Palette) -> Self {
        let elder = scene.variant.audience == Audience::Elder;
        let student = scene.variant.audience == Audience::Student;
        let lines = &scene.variant.headline.value.lines;
        // The elder family's main colour is `paper`; the student family's is `ink`.
        let (main, square, on_square) = match (elder, student) {
            (true, _) => (&palette.paper, &palette.alert, "#FFFFFF"),
            (_, true) => (&palette.ink, &palette.alert, palette.ink.as_str()),
            _ => (&palette.ground, &palette.ground, "#FFFFFF"),
        };
        Self {
            elder,
            student,
            longest: lines.iter().map(|line| line_length(line)).max().unwrap_or(1).max(1),
            page: if elder { &palette.ground } else { "#F7F5EF" },
            ground: &palette.ground,
            title: &palette.paper,
            ink: &palette.ink,
            mute: &palette.mute,
            lure: if elder || student { &palette.paper } else { &palette.lure },
            heading: main,
            button: if elder { &palette.paper } else { &palette.ink },
            focus: &palette.alert,
            square,
            on_square,
            paper: &palette.paper,
            tread1: &palette.treads[0],
            tread2: &palette.treads[1],
            tread3: &palette.treads[2],
            pale1: &palette.pale[0],
            pale2: &palette.pale[1],
            pale3: &palette.pale[2],
            last_step: main,
            panel: if elder || student { &palette.panel } else { &palette.pale[0] },
            lemon: if elder { &palette.strip_mute } else { &palette.lemon },
            alert: &palette.alert,
            on_alert: if elder { "#FFFFFF" } else { &palette.ink },
            field: main,
            dark_page: "#0F171B",
            dark_card: "#1B262B",
            dark_square: "#3D525B",
        }
    }
}

fn line_length(line: &[HeadlinePart]) -> usize {
    line.iter().map(|part| part.text.chars().count()).sum()
}
