//! Where the letters of an approved poster stand: it is drawn again from what was frozen, and only
//! where the bytes come out the same is the layout that of the approved picture.

use super::{Content, Publisher, WorkError};
use crate::{
    build::{Made, Request, Studio, pieces},
    config::Config,
    model::{Listing, MediaType, OutputKind, PlacedBox},
    render::print::{Format, MEASURED_PX},
};

/// What drawing a picture again told.
#[derive(Debug, Clone, PartialEq)]
pub enum Laid {
    /// Every line of text, in pixels of the picture.
    Lines(Vec<PlacedBox>),
    /// It comes out otherwise today: templates, fonts or settings changed since.
    Otherwise,
    /// Of this sort of picture the places are not known.
    Unknown,
}

impl Publisher {
    /// Draws a picture of a submission again and tells where its lines stand. Takes as long as
    /// drawing it does: not to be called on a thread that others wait for.
    ///
    /// # Errors
    /// Where the templates or fonts cannot be loaded, or the picture not be drawn any more.
    pub fn laid(
        &self,
        content: &Content,
        number: &str,
        file: &Listing,
        width: u32,
    ) -> Result<Laid, WorkError> {
        let (Some(lesson), Some(scale)) = (&file.lesson, scale(file, width)) else {
            return Ok(Laid::Unknown);
        };
        let config = Config { content: content.folder.clone(), ..(*self.config).clone() };
        let request = Request {
            lessons: vec![lesson.clone()],
            outputs: vec![file.output],
            audiences: vec![file.audience],
            approval_number: Some(number.to_owned()),
            ..Request::default()
        };
        let studio = Studio::load(&config)?;
        let pieces = pieces(&config, &content.library, &request, &studio, file.branch.as_ref());
        let of_screen = |name: &str| file.profile.as_deref() == Some(name);
        let own = pieces.iter().filter(|piece| {
            piece.branch == file.branch
                && piece.profile.as_ref().is_none_or(|profile| of_screen(&profile.name))
        });
        let is_it = |made: &Made| made.listing.path == file.path;
        for piece in own {
            let made = piece.make_with_boxes(&studio).map_err(|error| {
                WorkError::Refused(format!("{} 现在画不出来了：{error}", piece.what))
            })?;
            let Some(made) = made.into_iter().find(is_it) else { continue };
            if made.listing.sha256 != file.sha256 {
                return Ok(Laid::Otherwise);
            }
            let Some(layout) = made.layout else { return Ok(Laid::Unknown) };
            let lines = layout.boxes.into_iter().map(|line| PlacedBox {
                x: line.x * scale,
                y: line.y * scale,
                width: line.width * scale,
                height: line.height * scale,
                font_px: line.font_px * scale,
                ..line
            });
            return Ok(Laid::Lines(lines.collect()));
        }
        Ok(Laid::Otherwise)
    }
}

/// Pixels of the picture for each that was measured; `None` for what is not one page.
fn scale(file: &Listing, width: u32) -> Option<f32> {
    if file.media_type != MediaType::Png {
        return None;
    }
    match file.output {
        OutputKind::Screen | OutputKind::Newspic | OutputKind::Article => Some(1.0),
        // Measured on A4, in pixels of the PDF.
        OutputKind::Print => Some(width as f32 / (Format::A4.size_mm().0 * MEASURED_PX) as f32),
        _ => None,
    }
}
