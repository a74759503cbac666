//! What goes to the printer: posters, the leaflet and the sheets of paper around a lesson.
//!
//! Every output is a [`sheet::Printed`]: page bodies in millimetres, laid out once. The PDF adds
//! 3 mm of bleed around them; pictures are drawn at 300 dots an inch and the trim size. Templates
//! are made for A4; `{{mm 15}}` is fifteen millimetres there and in proportion on A3.
//!
//! For each output, a `…_paths` function names the files before anything is drawn.

mod boxes;
mod colours;
mod columns;
mod compose;
mod desk;
mod facts;
mod leaflet;
mod leaflet_inside;
mod leaflet_outside;
mod notice;
mod places;
mod poster;
mod prose;
mod sheet;
mod strip;
mod view;

use crate::{
    model::OutputKind,
    render::{RenderError, Scene, Stage},
};

pub use colours::colour_pairs;
pub use desk::{booth, booth_paths, morning, morning_paths};
pub use leaflet::{leaflet, leaflet_paths};
pub use notice::{NoticeScene, notice, notice_paths};
pub use poster::{poster_paths, posters};
pub use sheet::{BLEED_MM, Format, MEASURED_PX};

/// The sheets of a printed output with their bleed, as PNG pictures, to look at before the paper is
/// cut; other outputs have none. Not sent anywhere: printers get the PDF.
///
/// # Errors
/// What the output itself reports.
pub fn proof(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    output: OutputKind,
) -> Result<Vec<Vec<u8>>, RenderError> {
    match output {
        OutputKind::Print => poster::proof(scene, stage),
        OutputKind::Leaflet => leaflet::proof(scene, stage),
        OutputKind::Morning | OutputKind::Booth => desk::proof(scene, stage, output),
        _ => Ok(Vec::new()),
    }
}
