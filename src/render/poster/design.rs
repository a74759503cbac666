//! A design: one variant at one profile, fitted once; and its posters, one per branch.

use super::{
    compose::{Composer, Tier},
    engine::{self, Pixels, Rect, Sheet},
    glyphs,
    object::Drawing,
    png,
    qr::QrCode,
    report::{self, Edges},
    scale::{Profile, Scale, words_per_second},
    strip::{QR_INK, StripPlan, StripSetting},
    view::{PosterView, TreadView},
};
use crate::{
    model::{Audience, Branch, LayoutReport, PlacedBox, PosterText},
    render::{Fonts, Palette, RenderError, Scene, Stage, fonts::Weight},
};

/// How far text may shrink before the next shorter tier is tried.
const SHRINKS: [f64; 6] = [1.0, 0.94, 0.88, 0.82, 0.76, 0.7];

/// A poster without its branch: fitted, and ready to be drawn.
#[derive(Debug, Clone)]
pub struct Design {
    /// The screen.
    pub profile: Profile,
    /// What was measured above the strip.
    pub report: LayoutReport,
    /// How much of the text it keeps.
    pub tier: Tier,
    /// Style sheet and markup of everything above the strip.
    head_html: String,
    base_css: String,
    head_height: u32,
    strip: StripPlan,
    palette: Palette,
    audience: Audience,
    qr_label: String,
    bank_number: String,
    has_object: bool,
}

impl Design {
    /// Fits `text` to `profile`: the fullest tier that the slot's seconds allow, at the largest
    /// size at which nothing leaves its box or meets anything else.
    ///
    /// # Errors
    /// [`RenderError::DoesNotFit`] names the lines that do not fit even in the shortest tier;
    /// [`RenderError::MissingGlyphs`] names characters that no face can draw.
    pub fn new(
        scene: &Scene<'_>,
        stage: &Stage<'_>,
        scale: &Scale,
        text: &PosterText,
        profile: &Profile,
    ) -> Result<Self, RenderError> {
        let audience = scene.variant.audience;
        let palette = scene.palette(stage.palettes)?;
        let scaled = scale.at(audience, profile)?;
        let modules = QrCode::new(&longest_address(scene))?.modules();
        let bank_number = scene.number(&scene.bank.hotline).to_owned();
        let strip = StripPlan::new(
            scene.library,
            &bank_number,
            audience,
            profile,
            &scaled,
            stage.fonts,
            modules,
        )?;
        let mark = mark(scene, palette, scaled.px(scaled.sizes.mark))?;
        let composer = Composer {
            scene,
            text,
            profile,
            scaled,
            palette,
            fonts: stage.fonts,
            strip_height: strip.height(),
            mark: &mark,
        };
        let drawing = Drawing::new(scene.object()?, palette, stage.fonts)?;
        let fitted = fit(&composer, stage, &drawing)?;
        let design = Self {
            profile: profile.clone(),
            report: fitted.report,
            tier: fitted.tier,
            base_css: stage.templates.render("poster/base.hbs", &fitted.view)?,
            has_object: fitted.view.object.is_some(),
            head_html: fitted.html,
            head_height: fitted.view.height,
            strip,
            palette: palette.clone(),
            audience,
            qr_label: scene.variant.qr_label.clone(),
            bank_number,
        };
        design.check_strip(scene, stage, scaled.floor_px)
    }

    /// Measures the strips of the branches with the longest name and the longest address: what
    /// was fitted by widths must hold when it is laid out.
    fn check_strip(
        mut self,
        scene: &Scene<'_>,
        stage: &Stage<'_>,
        floor_px: f64,
    ) -> Result<Self, RenderError> {
        let em = |text: &str| (stage.fonts.advance_em(text, Weight::Regular) * 1000.0) as u64;
        let branches = &scene.library.branches;
        let longest = [
            branches.iter().max_by_key(|branch| em(&branch.name)),
            branches.iter().max_by_key(|branch| em(&branch.address)),
        ];
        for branch in longest.into_iter().flatten() {
            let sheet = self.sheet(&self.strip_html(stage, branch, None)?, self.strip.height());
            let strip =
                report::report(&engine::measure(&sheet, stage.fonts)?, floor_px, Edges::Hard);
            if !strip.overflow.is_empty() {
                return Err(RenderError::DoesNotFit {
                    what: format!("{} 的网点条（{}）", self.profile.name, branch.name),
                    detail: strip.overflow.join("；"),
                });
            }
            self.report.min_glyph_px = self.report.min_glyph_px.min(strip.min_glyph_px);
        }
        self.report.qr_rects = self.code_rect().into_iter().collect();
        self.report.colours = report::colour_pairs(self.audience, &self.palette);
        Ok(self)
    }

    /// Everything above the strip, as pixels.
    ///
    /// # Errors
    /// [`RenderError::Engine`].
    pub fn head(&self, fonts: &Fonts) -> Result<Pixels, RenderError> {
        engine::raster(&self.sheet(&self.head_html, self.head_height), fonts)
    }

    /// One branch's strip without its QR code, which is each lesson's own.
    ///
    /// # Errors
    /// [`RenderError`] from the template or the engine.
    pub fn strip(&self, stage: &Stage<'_>, branch: &Branch) -> Result<Pixels, RenderError> {
        let html = self.strip_html(stage, branch, None)?;
        engine::raster(&self.sheet(&html, self.strip.height()), stage.fonts)
    }

    /// Whether [`Design::strip`] is the same for both at every branch, whatever their lessons are.
    #[must_use]
    pub fn shares_strip(&self, other: &Self) -> bool {
        let colours = |design: &Self| {
            let p = &design.palette;
            [p.strip.clone(), p.strip_text.clone(), p.strip_mute.clone()]
        };
        self.strip == other.strip
            && self.audience == other.audience
            && self.qr_label == other.qr_label
            && self.bank_number == other.bank_number
            && colours(self) == colours(other)
    }

    /// Draws the QR code into a strip, over the one that may be there.
    pub fn draw_code(&self, strip: &mut Pixels, code: &QrCode) {
        if let Some(place) = self.strip.qr() {
            // A shorter address may have made a smaller code than the place was fitted for.
            if (code.modules() as u32) * place.module < place.side {
                strip.fill(place.left, place.top, place.side, [255; 3]);
            }
            code.draw(strip, place.left, place.top, place.module, QR_INK);
        }
    }

    /// Whether the profile has room for a QR code.
    #[must_use]
    pub fn has_code(&self) -> bool {
        self.strip.qr().is_some()
    }

    /// Whether the object found its place; a very small or crowded screen goes without.
    #[must_use]
    pub fn has_object(&self) -> bool {
        self.has_object
    }

    /// Compresses the head for all branches.
    ///
    /// # Errors
    /// [`RenderError`] from the engine.
    pub fn compressed_head(&self, fonts: &Fonts) -> Result<png::Head, RenderError> {
        png::Head::new(&self.head(fonts)?, self.profile.height, None)
    }

    /// The whole poster drawn in one go by the engine, QR code and all: slow, and the measure of
    /// what the reused parts must equal.
    ///
    /// # Errors
    /// [`RenderError`] from the template or the engine.
    pub fn whole(
        &self,
        stage: &Stage<'_>,
        branch: &Branch,
        code: &QrCode,
    ) -> Result<Pixels, RenderError> {
        let strip = self.strip_html(stage, branch, Some(code))?;
        let html = format!("{}{strip}", self.head_html);
        engine::raster(&self.sheet(&html, self.profile.height), stage.fonts)
    }

    /// The whole poster as HTML that a browser shows, for comparison and for designers.
    ///
    /// # Errors
    /// [`RenderError`] from the template.
    pub fn html(
        &self,
        stage: &Stage<'_>,
        branch: &Branch,
        code: &QrCode,
    ) -> Result<String, RenderError> {
        let strip = self.strip_html(stage, branch, Some(code))?;
        Ok(self.sheet(&format!("{}{strip}", self.head_html), self.profile.height).html)
    }

    fn strip_html(
        &self,
        stage: &Stage<'_>,
        branch: &Branch,
        code: Option<&QrCode>,
    ) -> Result<String, RenderError> {
        let setting = StripSetting {
            bank_number: &self.bank_number,
            qr_label: &self.qr_label,
            audience: self.audience,
            palette: &self.palette,
        };
        let view = self.strip.view(branch, setting, stage.fonts, code);
        Ok(stage.templates.render("poster/strip.hbs", &view)?)
    }

    /// Where the QR code is in the poster, quiet zone included: x, y, width, height.
    #[must_use]
    pub fn code_rect(&self) -> Option<(u32, u32, u32, u32)> {
        self.strip.qr().map(|qr| (qr.left, self.head_height + qr.top, qr.side, qr.side))
    }

    fn sheet(&self, body: &str, height: u32) -> Sheet {
        let (css, width) = (&self.base_css, self.profile.width);
        Sheet {
            html: format!(
                "<style>{css}</style><div class=\"page\" style=\"height:{height}px\">{body}</div>"
            ),
            width,
            height,
        }
    }
}

struct Fitted<'a> {
    view: PosterView<'a>,
    html: String,
    report: LayoutReport,
    tier: Tier,
}

fn fit<'a>(
    composer: &Composer<'a>,
    stage: &Stage<'_>,
    drawing: &Drawing,
) -> Result<Fitted<'a>, RenderError> {
    let audience = composer.scene.variant.audience;
    let readable = composer.profile.readable_words(audience);
    let mut faults = Vec::new();
    for tier in Tier::ALL {
        for shrink in SHRINKS {
            let mut view = composer.view(tier, shrink)?;
            let words = Composer::word_count(&view);
            if words > readable && tier != Tier::Headline {
                faults = vec![format!("{words} 字在 {} 秒里读不完", composer.profile.dwell_s)];
                break;
            }
            let bare = measured(composer, stage, &view)?;
            glyphs::refuse_missing(&bare, composer.scene, stage.fonts)?;
            if !bare.overflow.is_empty() {
                faults = bare.overflow;
                continue;
            }
            let covers = treads(&view);
            let letters = letters(&bare, &covers);
            let head = (view.width, view.height);
            let place = drawing.place(&composer.scaled, audience, head, &letters, &covers);
            view.object = place.map(|rect| {
                let labels = &composer.scene.variant.object_labels;
                let floor = composer.scaled.floor_px;
                drawing.view(rect, labels, composer.palette, stage.fonts, floor)
            });
            let mut report = measured(composer, stage, &view)?;
            glyphs::refuse_missing(&report, composer.scene, stage.fonts)?;
            if !report.overflow.is_empty() {
                faults = report.overflow;
                continue;
            }
            report.word_count = words;
            report.reading_seconds = words as f32 / words_per_second(audience);
            let html = stage.templates.render(&template(composer), &view)?;
            return Ok(Fitted { view, html, report, tier });
        }
    }
    let profile = composer.profile;
    Err(RenderError::DoesNotFit {
        what: format!("{}（{}×{}）的海报", profile.name, profile.width, profile.height),
        detail: format!("{}。请把 headline 或 :::screen 写短", faults.join("；")),
    })
}

fn template(composer: &Composer<'_>) -> String {
    format!("poster/{}-{}.hbs", composer.scene.variant.audience, composer.scaled.scheme.template())
}

fn measured(
    composer: &Composer<'_>,
    stage: &Stage<'_>,
    view: &PosterView<'_>,
) -> Result<LayoutReport, RenderError> {
    let css = stage.templates.render("poster/base.hbs", view)?;
    let head = stage.templates.render(&template(composer), view)?;
    let sheet = Sheet {
        html: format!(
            "<style>{css}</style><div class=\"page\" style=\"height:{}px\">{head}</div>",
            view.height
        ),
        width: view.width,
        height: view.height,
    };
    let laid_out = engine::measure(&sheet, stage.fonts)?;
    Ok(report::report(&laid_out, composer.scaled.floor_px, Edges::Hard))
}

/// The treads, which stand before the object.
fn treads(view: &PosterView<'_>) -> Vec<Rect> {
    let tread = |tread: &TreadView| Rect {
        left: tread.left as f32,
        top: (view.height - tread.height) as f32,
        right: (tread.left + tread.width) as f32,
        bottom: view.height as f32,
    };
    view.treads.iter().map(tread).collect()
}

/// The lines that the object must not touch: all but those on treads.
fn letters(report: &LayoutReport, covers: &[Rect]) -> Vec<Rect> {
    let on_cover = |line: &PlacedBox| {
        let (x, y) = (line.x + line.width / 2.0, line.y + line.height / 2.0);
        covers.iter().any(|c| x >= c.left && x <= c.right && y >= c.top)
    };
    let rect = |line: &PlacedBox| Rect {
        left: line.x,
        top: line.y,
        right: line.x + line.width,
        bottom: line.y + line.height,
    };
    report.boxes.iter().filter(|line| !on_cover(line)).map(rect).collect()
}

/// The bank's mark in the poster's colours.
pub(in crate::render) fn mark(
    scene: &Scene<'_>,
    palette: &Palette,
    side: u32,
) -> Result<String, RenderError> {
    let asset = scene.library.assets.get("mark.svg").ok_or_else(|| RenderError::Picture {
        file: "assets/mark.svg".into(),
        reason: "没有银行标志".into(),
    })?;
    let svg = String::from_utf8_lossy(&asset.bytes);
    Ok(super::object::sized(&palette.paint(&svg), side, side))
}

fn longest_address(scene: &Scene<'_>) -> String {
    let longest = scene.library.branches.iter().max_by_key(|branch| branch.id.as_str().len());
    Scene { branch: longest, ..*scene }.qr_address()
}
