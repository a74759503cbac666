//! The outside of the leaflet: flap with the quiz, back with the numbers, cover.

use super::{
    facts::{AnswerView, HotlineView, QuestionView, hotlines, quiz},
    leaflet::{COLUMN_MM, Colours, Maker, Sizes, largest, scales},
    sheet::{Format, MEASURED_PX, orphans, refuse_missing, report},
    strip::where_to,
    view::{LabelView, ObjectView},
};
use crate::{
    model::{Audience, LayoutReport, PlacedBox, Variant},
    render::{
        Palette, RenderError,
        fonts::Weight,
        poster::{
            compose::headline_parts,
            design::mark,
            engine::Rect,
            object::Drawing,
            qr::QrCode,
            view::{LeadView, PartView},
        },
    },
};
use serde::Serialize;
use std::cell::RefCell;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Outside<'a> {
    palette: &'a Palette,
    #[serde(rename = "type")]
    sizes: Sizes,
    colours: Colours,
    /// Fewer words: a number and when to dial it.
    elder: bool,
    /// The quiz, which has a panel to itself.
    quiz_size: f64,
    bank_size: f64,
    number_size: f64,
    cover: CoverView<'a>,
    quiz_title: &'static str,
    quiz: Vec<QuestionView>,
    /// In reading order; the template prints them upside down.
    answers: Vec<AnswerView>,
    hotlines: Vec<HotlineView>,
    name: String,
    name_size: f64,
    place: Vec<String>,
    qr_label: String,
    qr_modules: usize,
    qr_path: String,
    small: Vec<String>,
    disclaimer: &'a str,
    hotline_gap: f64,
}

#[derive(Debug, Clone, Serialize)]
struct CoverView<'a> {
    mark: String,
    bank: &'a str,
    headline: Vec<Vec<PartView>>,
    headline_size: f64,
    lead: Option<LeadView>,
    lead_size: f64,
    object: Option<ObjectView>,
}

impl<'a> Maker<'a> {
    pub fn outside(&self) -> Result<(Outside<'a>, LayoutReport), RenderError> {
        let drawing = Drawing::new(self.scene.object()?, self.palette, self.stage.fonts)?;
        let faults = RefCell::new(Vec::new());
        let found = largest(&scales(0.0), |scale| {
            let view = self.outside_view(scale)?;
            let bare = self.measure("print/leaflet-outside.hbs", &view)?;
            let found = report(&bare, Format::A4Landscape, view.sizes.floor);
            refuse_missing(&found, self.scene, self.stage)?;
            let fits = found.overflow.is_empty();
            faults.borrow_mut().clone_from(&found.overflow);
            Ok(fits.then(|| ((view, found), orphans(&bare).is_empty())))
        })?;
        let Some((mut view, bare)) = found else {
            return Err(RenderError::DoesNotFit {
                what: "三折页外页".into(),
                detail: faults.borrow().iter().take(4).cloned().collect::<Vec<_>>().join("；"),
            });
        };
        let letter = |line: &PlacedBox| Rect {
            left: line.x,
            top: line.y,
            right: line.x + line.width,
            bottom: line.y + line.height,
        };
        let letters: Vec<Rect> = bare.boxes.iter().map(letter).collect();
        let floor = view.sizes.floor;
        view.cover.object = self.object(&drawing, &letters, floor);
        let laid_out = self.measure("print/leaflet-outside.hbs", &view)?;
        Ok((view, report(&laid_out, Format::A4Landscape, floor)))
    }

    fn outside_view(&self, scale: f64) -> Result<Outside<'a>, RenderError> {
        let scene = self.scene;
        let variant = scene.variant;
        let elder = variant.audience == Audience::Elder;
        let (quiz, answers) = quiz(scene);
        let hotlines = hotlines(scene);
        let code = QrCode::new(&scene.qr_address())?;
        let (name, address) = where_to(scene);
        let name_em = self.stage.fonts.advance_em(&name, Weight::Bold);
        let hours = scene.branch.map(|branch| branch.hours.clone());
        let place: Vec<String> = std::iter::once(address).chain(hours).collect();
        let mut small = vec![
            format!("有效期至 {}", variant.valid_until),
            scene.lesson.id.to_string(),
            format!("第 {} 版 {}", variant.version, short(variant)),
        ];
        small.extend(scene.approval_line());
        let view = Outside {
            palette: self.palette,
            sizes: self.sizes(1.0),
            quiz_size: self.sizes(scale).body,
            colours: Colours::of(variant.audience, self.palette),
            elder,
            bank_size: if elder { 6.4 } else { 5.2 },
            // Four numbers are as many as the panel holds at full size.
            number_size: (if elder { 14.0 } else { 12.0_f64 })
                .min(40.0 / hotlines.len().max(1) as f64),
            cover: self.cover()?,
            quiz_title: if elder { "考考您" } else { "考考你" },
            quiz,
            answers,
            hotline_gap: if hotlines.len() > 3 { 1.5 } else { 3.2 },
            hotlines,
            name_size: (COLUMN_MM / name_em).min(self.sizes(1.0).heading),
            name,
            place,
            qr_label: variant.qr_label.clone(),
            qr_modules: code.modules(),
            qr_path: code.path(),
            small,
            disclaimer: &scene.bank.disclaimer,
        };
        Ok(view)
    }

    fn cover(&self) -> Result<CoverView<'a>, RenderError> {
        let scene = self.scene;
        let bold = |text: &str| self.stage.fonts.advance_em(text, Weight::Bold);
        let headline = headline_parts(scene, false);
        let longest = headline
            .iter()
            .map(|line: &Vec<PartView>| line.iter().map(|part| bold(&part.text)).sum::<f64>())
            .fold(1.0, f64::max);
        let tiers = &scene.variant.tiers;
        let text = tiers.poster.as_ref().or(tiers.screen.as_ref());
        let lead = text.and_then(|text| text.lead.as_ref()).map(|lead| LeadView {
            plain: scene.plain(&lead.plain),
            imperative: scene.plain(&lead.imperative),
        });
        let lead_em = lead.as_ref().map_or(1.0, |l| bold(&l.plain).max(bold(&l.imperative) * 1.5));
        Ok(CoverView {
            mark: mark(scene, self.palette, 64)?,
            bank: &scene.bank.name,
            headline_size: (COLUMN_MM / longest).min(20.0),
            headline,
            lead_size: (COLUMN_MM / lead_em).min(7.0),
            lead,
            object: None,
        })
    }

    fn object(&self, drawing: &Drawing, letters: &[Rect], floor: f64) -> Option<ObjectView> {
        let px = MEASURED_PX as f32;
        let audience = self.scene.variant.audience;
        // A student's object hangs in the panel; the others stand on the edge of the paper.
        let [left, top, right, bottom] = match audience {
            // The general family's reaches into the bleed.
            Audience::General => [200.0, 70.0, 293.0, 213.0],
            Audience::Elder => [208.0, 90.0, 287.0, 192.0],
            Audience::Student => [208.0, 92.0, 287.0, 190.0],
        }
        .map(|mm| mm * px);
        let field = Rect { left, top, right, bottom };
        let rect = drawing.fit(field, 3.0 * px, audience, letters, &[])?;
        let mm = |length: f32| f64::from(length / px);
        let (width, height) = (mm(rect.right - rect.left), mm(rect.bottom - rect.top));
        let labels = &self.scene.variant.object_labels;
        Some(ObjectView {
            left: mm(rect.left),
            top: mm(rect.top),
            width,
            height,
            svg: drawing.markup(1000, (1000.0 / drawing.ratio()).round() as u32),
            labels: LabelView::all(
                labels,
                [mm(rect.left), mm(rect.top), width, height],
                self.palette,
                self.stage.fonts,
                floor,
            ),
        })
    }
}

/// The first characters of the text's digest, by which a printed copy is told apart.
fn short(variant: &Variant) -> String {
    variant.digest.to_string().chars().take(8).collect()
}
