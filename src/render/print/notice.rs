//! The public notice of complaint channels (投诉渠道公示): one for the bank, one for each branch.

use super::{
    facts::HotlineView,
    sheet::{Format, Label, Printed, fill, report},
};
use crate::{
    model::{
        Artifact, Audience, Bank, Branch, Hotline, HotlineKind, LayoutReport, Library, OutputKind,
    },
    render::{
        Palette, RenderError, Stage,
        fonts::{MissingGlyph, Weight},
        poster::object::sized,
        text::chinese_date,
    },
};
use serde::Serialize;
use std::path::PathBuf;

/// The set of `hotlines.toml` that the notice shows.
const SET: &str = "complaint";
/// What a number may fill of its row.
const NUMBER_MM: f64 = 70.0;
/// Smallest font: read standing before it.
const FLOOR_MM: f64 = 4.34;

/// Whose notice it is.
#[derive(Debug, Clone, Copy)]
pub struct NoticeScene<'a> {
    /// The bank.
    pub bank: &'a Bank,
    /// The registries.
    pub library: &'a Library,
    /// The branch on whose wall it hangs; none for the bank's own edition.
    pub branch: Option<&'a Branch>,
}

/// The files of [`notice`], in its order.
#[must_use]
pub fn notice_paths(scene: &NoticeScene<'_>) -> Vec<PathBuf> {
    match scene.branch {
        Some(branch) => vec![format!("branches/{}/print/notice.a4.pdf", branch.id).into()],
        None => vec!["notice-a4.pdf".into(), "notice-a4.png".into()],
    }
}

#[derive(Serialize)]
struct NoticeView<'a> {
    palette: &'a Palette,
    mark: String,
    bank: &'a str,
    rows: Vec<RowView>,
    row_height: f64,
    name_size: f64,
    number_size: f64,
    place: Option<PlaceView<'a>>,
}

#[derive(Serialize)]
struct RowView {
    index: usize,
    #[serde(flatten)]
    hotline: HotlineView,
}

#[derive(Serialize)]
struct PlaceView<'a> {
    name: &'a str,
    address: &'a str,
    hours: &'a str,
}

/// Draws the notice: emergency numbers before the bank's, the bank's before the regulators'.
///
/// # Errors
/// [`RenderError::Unknown`] where the registry has neither the set `complaint` nor the bank's
/// number; [`RenderError::DoesNotFit`], [`RenderError::MissingGlyphs`].
pub fn notice(scene: &NoticeScene<'_>, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
    let palette = stage.palettes.campaigns().next().map(|(_, palette)| palette);
    let palette = palette.ok_or_else(|| RenderError::Unknown {
        kind: "配色",
        name: "general".into(),
        help: "请在 palettes.toml 里至少写一种活动配色".into(),
    })?;
    let palette = house(scene, stage).unwrap_or(palette);
    let rows = rows(scene)?;
    let longest = |em: &dyn Fn(&HotlineView) -> f64| {
        rows.iter().map(|row| em(&row.hotline)).fold(1.0, f64::max)
    };
    let number_em = longest(&|h| stage.fonts.advance_em(&h.number, Weight::Bold));
    let number_size = (NUMBER_MM / number_em).min(20.0);
    // What the numeral, the number and the gaps between them leave of a row.
    let room = 155.0 - number_em * number_size;
    let name_size = room / longest(&|h| stage.fonts.advance_em(&h.name, Weight::Bold));
    let view = NoticeView {
        palette,
        mark: mark(scene, palette)?,
        bank: &scene.bank.name,
        row_height: (160.0 / rows.len().max(1) as f64).min(52.0),
        name_size: name_size.min(8.0),
        number_size,
        rows,
        place: scene.branch.map(|branch| PlaceView {
            name: &branch.name,
            address: &branch.address,
            hours: &branch.hours,
        }),
    };
    let pages = |unit: f64| Ok(vec![fill(stage, "print/notice.hbs", unit, &view)?]);
    let title = format!("{}投诉渠道公示", scene.bank.name);
    let printed = Printed { format: Format::A4, title, pages: Box::new(pages) };
    let report = report(&printed.measure(stage)?.swap_remove(0), Format::A4, FLOOR_MM);
    refuse_missing(&report, stage)?;
    if !report.overflow.is_empty() {
        return Err(RenderError::DoesNotFit {
            what: "投诉渠道公示".into(),
            detail: format!("{}。请在 hotlines.toml 里少写几个号码", report.overflow.join("；")),
        });
    }
    let label = Label {
        lesson: None,
        output: OutputKind::Notice,
        audience: Audience::General,
        branch: scene.branch,
    };
    let draw = |path: PathBuf| {
        let png = path.extension().is_some_and(|extension| extension == "png");
        let bytes = if png { printed.pngs(stage)?.swap_remove(0) } else { printed.pdf(stage)? };
        Ok(label.artifact(path, Format::A4, bytes, report.clone()))
    };
    notice_paths(scene).into_iter().map(draw).collect()
}

/// The colours of the first topic: the house's own.
fn house<'a>(scene: &NoticeScene<'_>, stage: &Stage<'a>) -> Option<&'a Palette> {
    let topic = scene.library.topics.first()?;
    stage.palettes.get(Audience::General, &topic.palette)
}

fn rows(scene: &NoticeScene<'_>) -> Result<Vec<RowView>, RenderError> {
    let library = scene.library;
    let set = library.hotline_sets.iter().find(|set| set.id == SET);
    let mut hotlines: Vec<&Hotline> = match set {
        Some(set) => set.hotlines.iter().filter_map(|id| library.hotline(id)).collect(),
        None => library
            .hotlines
            .iter()
            .filter(|h| h.id == scene.bank.hotline || h.kind == HotlineKind::Regulator)
            .collect(),
    };
    if hotlines.is_empty() {
        return Err(RenderError::Unknown {
            kind: "电话表",
            name: SET.into(),
            help: "请在 hotlines.toml 里写 [[set]] id = \"complaint\"".into(),
        });
    }
    hotlines.sort_by_key(|hotline| hotline.kind);
    let own = |hotline: &Hotline| {
        let own = scene.branch.and_then(|branch| branch.hotline.clone());
        own.filter(|_| hotline.id == scene.bank.hotline)
    };
    let row = |(index, hotline): (usize, &&Hotline)| RowView {
        index: index + 1,
        hotline: HotlineView {
            number: own(hotline).unwrap_or_else(|| hotline.number.clone()),
            name: hotline.name.clone(),
            note: hotline.note.clone(),
            hours: hotline.hours.clone(),
            verified: chinese_date(hotline.verified_on),
        },
    };
    Ok(hotlines.iter().enumerate().map(row).collect())
}

fn mark(scene: &NoticeScene<'_>, palette: &Palette) -> Result<String, RenderError> {
    let asset = scene.library.assets.get("mark.svg").ok_or_else(|| RenderError::Picture {
        file: "assets/mark.svg".into(),
        reason: "没有银行标志".into(),
    })?;
    Ok(sized(&palette.paint(&String::from_utf8_lossy(&asset.bytes)), 64, 64))
}

/// Refuses characters that no face can draw.
fn refuse_missing(report: &LayoutReport, stage: &Stage<'_>) -> Result<(), RenderError> {
    let text: String = report.boxes.iter().map(|line| line.text.as_str()).collect();
    let missing: Vec<MissingGlyph> = stage
        .fonts
        .missing(&text)
        .into_iter()
        .map(|character| MissingGlyph {
            character,
            place: "hotlines.toml、branches.csv 或银行名称".into(),
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(RenderError::MissingGlyphs(missing)) }
}
