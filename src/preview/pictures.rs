//! The outputs that are pictures: screens and sheets of paper at their true proportion.

use super::{
    after::FileFacts,
    frames::{choices, facts, fault, headline, pieces, stale, stale_words},
    geometry::{self, Frame, Reading},
    part::{Choice, Context},
    sheet::Output,
};
use crate::{
    build::{Made, Role},
    model::{MediaType, OutputKind},
};
use askama::Template;
use std::sync::Arc;

/// What stands above the screens.
#[derive(Template)]
#[template(path = "preview/html/screens.html")]
pub(super) struct Screens {
    zooms: Vec<Choice>,
    is_zoomed: bool,
}

/// A poster on its screen.
#[derive(Template)]
#[template(path = "preview/html/screen.html")]
pub(super) struct Screen {
    name: String,
    width: u32,
    height: u32,
    mm_width: String,
    mm_height: String,
    distance_m: f32,
    dwell_s: f32,
    frame: Frame,
    is_zoomed: bool,
    place: String,
    alt: String,
    reading: Option<Reading>,
    file: Option<FileFacts>,
    stale: &'static str,
    fault: Option<String>,
}

/// The picture message.
#[derive(Template)]
#[template(path = "preview/html/newspic.html")]
pub(super) struct Newspic {
    pictures: Vec<FileFacts>,
    alt: String,
    stale: &'static str,
    fault: Option<String>,
}

/// Sheets of paper.
#[derive(Template)]
#[template(path = "preview/html/paper.html")]
pub(super) struct Paper {
    label: &'static str,
    sheets: Vec<Cut>,
    files: Vec<FileFacts>,
    alt: String,
    size: String,
    stale: &'static str,
    fault: Option<String>,
}

/// A sheet with what is cut off, in millimetres of an SVG that has room for the marks.
struct Cut {
    address: String,
    width: f64,
    height: f64,
    trim: [f64; 4],
    right: f64,
    bottom: f64,
}

/// What stands above the screens.
pub(super) fn screens(context: &Context<'_>) -> Screens {
    let zooms = [("一样大", false), ("从站的地方看", true)];
    Screens {
        zooms: choices(context, zooms, |glasses| &mut glasses.stand),
        is_zoomed: context.glasses.stand,
    }
}

/// A poster on its screen.
pub(super) fn screen(context: &Context<'_>, output: &Output) -> Option<Screen> {
    let profile = output.profile.as_ref()?;
    let made = output.files().first();
    let layout = made.and_then(|made| made.layout.as_ref());
    let mm_height =
        f64::from(profile.mm_width) * f64::from(profile.height) / f64::from(profile.width.max(1));
    let library = &context.snapshot.library;
    let branch = output.branch.as_ref().and_then(|id| library.branch(id));
    Some(Screen {
        name: profile.name.clone(),
        width: profile.width,
        height: profile.height,
        mm_width: format!("{:.0}", profile.mm_width),
        mm_height: format!("{mm_height:.0}"),
        distance_m: profile.distance_m,
        dwell_s: profile.dwell_s,
        frame: geometry::frame(profile, context.glasses.stand),
        is_zoomed: context.glasses.stand,
        place: branch.map_or_else(String::new, |branch| branch.name.clone()),
        alt: headline(context),
        reading: layout.map(|layout| geometry::reading(profile, layout, context.view.audience)),
        file: made.map(|made| facts(context, made)),
        stale: stale_words(context, output.is_stale()),
        fault: output.fault().map(str::to_owned),
    })
}

/// The picture message.
pub(super) fn newspic(context: &Context<'_>) -> Newspic {
    let pictures = context.sheet.files(OutputKind::Newspic, Role::Picture);
    Newspic {
        pictures: pictures.map(|made| facts(context, made)).collect(),
        alt: headline(context),
        stale: stale(context, OutputKind::Newspic),
        fault: fault(context, OutputKind::Newspic),
    }
}

/// A printed output.
pub(super) fn paper(context: &Context<'_>, kind: OutputKind) -> Paper {
    let outputs = || pieces(context, kind, Role::Picture);
    let files: Vec<&Arc<Made>> = outputs().flat_map(Output::files).collect();
    let pdf = files.iter().find(|made| made.listing.media_type == MediaType::Pdf);
    let sheet = pdf.and_then(|made| geometry::sheet(&made.bytes));
    let proofs: Vec<&Arc<Made>> = context.sheet.files(kind, Role::Proof).collect();
    let cut = |made: &&Arc<Made>| {
        let sheet = sheet?;
        let [left, top, width, height] = sheet.trim;
        Some(Cut {
            address: facts(context, made).address,
            width: sheet.width,
            height: sheet.height,
            trim: sheet.trim,
            right: left + width,
            bottom: top + height,
        })
    };
    let size = sheet.map_or_else(String::new, |sheet| {
        let [left, _, width, height] = sheet.trim;
        let pages = pdf.map_or(1, |made| geometry::pages(&made.bytes));
        format!(
            "成品 {width:.0} × {height:.0} 毫米，四边各出血 {left:.0} 毫米（整张 {:.0} × {:.0}），{pages} 页",
            sheet.width, sheet.height
        )
    });
    Paper {
        label: kind.label(),
        sheets: proofs.iter().filter_map(cut).collect(),
        files: files.iter().map(|made| facts(context, made)).collect(),
        alt: headline(context),
        size,
        stale: stale(context, kind),
        fault: fault(context, kind),
    }
}
