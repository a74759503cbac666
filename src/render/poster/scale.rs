//! The type scale as data (`templates/poster/scale.toml`) and what it becomes at a profile.

use crate::{
    model::{Audience, Limits, Screen},
    render::RenderError,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The built-in scale.
pub const BUILT_IN: &str = include_str!("../../../templates/poster/scale.toml");

/// How a poster is composed; the shape of the screen decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Taller than wide.
    Portrait,
    /// About 16:9.
    Landscape,
    /// About 4:3 or square, read at arm's length.
    Kiosk,
    /// A wide bar with room for two lines and a QR code.
    Bar,
    /// A wide bar of at most 400 pixels: one line, no QR code, which could not be scanned.
    Ribbon,
}

impl Scheme {
    /// The scheme for a screen of `width` by `height` pixels.
    #[must_use]
    pub fn of(width: u32, height: u32) -> Self {
        let ratio = f64::from(width) / f64::from(height.max(1));
        match ratio {
            ratio if ratio < 0.87 => Self::Portrait,
            ratio if ratio < 1.5 => Self::Kiosk,
            ratio if ratio < 2.6 => Self::Landscape,
            _ if height <= 400 || ratio > 4.5 => Self::Ribbon,
            _ => Self::Bar,
        }
    }

    /// The scheme's name in template file names. The kiosk shares the landscape composition and
    /// the ribbon that of the bar.
    #[must_use]
    pub fn template(self) -> &'static str {
        match self {
            Self::Portrait => "portrait",
            Self::Landscape | Self::Kiosk => "landscape",
            Self::Bar | Self::Ribbon => "bar",
        }
    }
}

/// One table of the scale: sizes in pixels of `design`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the fields are documented at the top of scale.toml")]
pub struct Sizes {
    pub design: [f64; 2],
    pub brand_top: f64,
    pub copy_top: f64,
    pub tread_top: f64,
    pub stair: [f64; 4],
    pub slabs: f64,
    pub slab_height: f64,
    pub slab_gap: f64,
    pub lead_bottom: f64,
    pub panel: f64,
    pub chat: f64,
    pub chat_right: f64,
    pub avatar: f64,
    pub bubble_pad: f64,
    pub bubble_side: f64,
    pub strip: f64,
    pub margin: f64,
    pub column: f64,
    pub object: [f64; 4],
    pub mark: f64,
    pub brand: f64,
    pub tag: f64,
    pub headline: f64,
    pub lead: f64,
    pub imperative: f64,
    pub cue: f64,
    pub word: f64,
    pub slab: f64,
    pub bubble: f64,
    pub numeral: f64,
    pub number: f64,
    pub strip_name: f64,
    pub strip_address: f64,
    pub strip_label: f64,
    pub strip_number: f64,
    pub qr: f64,
}

/// The whole scale.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Scale(BTreeMap<String, BTreeMap<Scheme, Sizes>>);

impl Scale {
    /// Reads `scale.toml`.
    ///
    /// # Errors
    /// [`RenderError::Engine`] with what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, RenderError> {
        let scale: Self = toml::from_str(text)
            .map_err(|error| RenderError::Engine(format!("poster/scale.toml：{error}")))?;
        for audience in Audience::ALL {
            for scheme in
                [Scheme::Portrait, Scheme::Landscape, Scheme::Kiosk, Scheme::Bar, Scheme::Ribbon]
            {
                scale.sizes(*audience, scheme)?;
            }
        }
        Ok(scale)
    }

    fn sizes(&self, audience: Audience, scheme: Scheme) -> Result<&Sizes, RenderError> {
        self.0.get(audience.as_str()).and_then(|family| family.get(&scheme)).ok_or_else(|| {
            RenderError::Unknown {
                kind: "字号表",
                name: format!("{audience}.{scheme:?}").to_lowercase(),
                help: "请在 poster/scale.toml 里补上".into(),
            }
        })
    }

    /// The scale at a profile.
    ///
    /// # Errors
    /// [`RenderError::Unknown`] where the table is missing.
    pub fn at(&self, audience: Audience, profile: &Profile) -> Result<Scaled<'_>, RenderError> {
        let scheme = Scheme::of(profile.width, profile.height);
        let sizes = self.sizes(audience, scheme)?;
        let unit = (f64::from(profile.width) / sizes.design[0])
            .min(f64::from(profile.height) / sizes.design[1]);
        Ok(Scaled { sizes, scheme, unit, floor_px: profile.floor_font_px(audience) })
    }
}

/// What a poster is cut to: pixels, and the distance it is read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name in paths and listings.
    pub name: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Width of the lit area in millimetres.
    pub mm_width: f32,
    /// Viewing distance in metres.
    pub distance_m: f32,
    /// Seconds a poster stays in the slot.
    pub dwell_s: f32,
}

impl Profile {
    /// The profile of a branch's screen.
    #[must_use]
    pub fn of(screen: &Screen) -> Self {
        Self {
            name: screen.profile.clone(),
            width: screen.width,
            height: screen.height,
            mm_width: screen.mm_width,
            distance_m: screen.distance_m,
            dwell_s: screen.dwell_s,
        }
    }

    /// The smallest font size in pixels whose Han characters are as high as 1/200 of the viewing
    /// distance, for elders 1.5 times that (lint F606). Rule of thumb, not a law.
    #[must_use]
    pub fn floor_font_px(&self, audience: Audience) -> f64 {
        let factor = if audience == Audience::Elder { 1.5 } else { 1.0 };
        let parts = Limits::default().distance_parts.value as f64;
        let letter_mm = f64::from(self.distance_m) * 1000.0 / parts * factor;
        let mm_per_px = f64::from(self.mm_width) / f64::from(self.width);
        (letter_mm / mm_per_px / HAN_HEIGHT_EM).ceil()
    }

    /// 字 that can be read in the slot: 4 a second, elders 3 (lint F605, an estimate).
    #[must_use]
    pub fn readable_words(&self, audience: Audience) -> usize {
        (self.dwell_s * words_per_second(audience)) as usize
    }
}

/// Reading speed in 字 a second (lint F605, an estimate).
#[must_use]
pub fn words_per_second(audience: Audience) -> f32 {
    if audience == Audience::Elder { 3.0 } else { 4.0 }
}

/// Height of a Han character in em: 0.92 of the font size in the embedded face.
pub const HAN_HEIGHT_EM: f64 = 0.92;

/// The scale at one profile.
#[derive(Debug, Clone, Copy)]
pub struct Scaled<'a> {
    /// The table.
    pub sizes: &'a Sizes,
    /// The composition.
    pub scheme: Scheme,
    /// Pixels of the profile per pixel of the design.
    pub unit: f64,
    /// No font may be smaller.
    pub floor_px: f64,
}

impl Scaled<'_> {
    /// A length of the design in whole pixels of the profile.
    #[must_use]
    pub fn px(&self, length: f64) -> u32 {
        (length * self.unit).round() as u32
    }

    /// A font size of the design, shrunk by `shrink` but not below the floor.
    #[must_use]
    pub fn font(&self, size: f64, shrink: f64) -> u32 {
        (size * self.unit * shrink).round().max(self.floor_px) as u32
    }
}
