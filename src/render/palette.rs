//! Colours as data: `templates/palettes.toml`, checked when it is loaded.

use crate::model::Audience;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The colours of one poster, article or page, as templates see them: `#RRGGBB` each.
///
/// One struct serves the three families, so that a template of one family reads the same names as
/// another; what a family lacks repeats its nearest relative (the elder family's `paper` is its
/// primary green, for example, because both are the main shape colour on the ground).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Palette {
    /// The field everything stands on.
    pub ground: String,
    /// The main colour of shapes and text on the ground.
    pub paper: String,
    /// Text on paper, dark.
    pub ink: String,
    /// Quiet text on paper.
    pub mute: String,
    /// Quiet text on the ground.
    pub mist: String,
    /// The lure: the trap's name and its thing.
    pub lure: String,
    /// A darker lure, for shapes.
    pub lure_shade: String,
    /// How the trap's name is set apart in a headline, as CSS. It takes the lure's colour where that
    /// contrasts with the ground; on the students' bright ground coral is too light for letters and
    /// underlines them instead; elders get one colour only.
    pub lure_style: String,
    /// The act of stopping.
    pub alert: String,
    /// Slits within the alert shape.
    pub alert_shade: String,
    /// Numerals on treads.
    pub numeral: String,
    /// Three treads of the staircase; the fourth is the strip's colour.
    pub treads: [String; 3],
    /// Their light tints.
    pub pale: [String; 3],
    /// The branch strip's field.
    pub strip: String,
    /// Text on the strip.
    pub strip_text: String,
    /// Quiet text on the strip.
    pub strip_mute: String,
    /// The conversation's panel (student), else the ground.
    pub panel: String,
    /// The reader's bubble (student), else paper.
    pub lemon: String,
}

impl Palette {
    /// Replaces `var(--token,fallback)` in an SVG by this palette's colour. Unknown tokens keep
    /// their fallback, so that a drawing with colours of its own stays as drawn.
    #[must_use]
    pub fn paint(&self, svg: &str) -> String {
        let mut painted = String::with_capacity(svg.len());
        let mut rest = svg;
        while let Some(start) = rest.find("var(--") {
            painted.push_str(&rest[..start]);
            let inner = &rest[start + "var(--".len()..];
            let Some(end) = inner.find(')') else {
                painted.push_str(&rest[start..]);
                return painted;
            };
            let (token, fallback) =
                inner[..end].split_once(',').unwrap_or((&inner[..end], "#000000"));
            painted.push_str(self.token(token.trim()).unwrap_or(fallback.trim()));
            rest = &inner[end + 1..];
        }
        painted.push_str(rest);
        painted
    }

    /// The colour of a drawing token or of an object label's `colour`.
    #[must_use]
    pub fn token(&self, token: &str) -> Option<&str> {
        Some(match token {
            "ground" | "mark-figure" => &self.ground,
            "paper" | "mark-field" => &self.paper,
            "ink" => &self.ink,
            "lure" => &self.lure,
            "lure-shade" => &self.lure_shade,
            "alert" => &self.alert,
            "alert-shade" => &self.alert_shade,
            "mute" => &self.mute,
            "lemon" => &self.lemon,
            "white" => "#FFFFFF",
            _ => return None,
        })
    }
}

/// All palettes of `palettes.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palettes {
    campaigns: BTreeMap<String, Palette>,
    elder: Palette,
    student: Palette,
}

/// Why palettes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PaletteError {
    /// Not the format.
    #[error("palettes.toml 格式不对")]
    Syntax(#[from] toml::de::Error),
    /// A colour is not `#RRGGBB`.
    #[error("palettes.toml：[{table}] 的颜色“{value}”应写成 #RRGGBB")]
    Colour {
        /// The table.
        table: String,
        /// What stands there.
        value: String,
    },
}

impl Palettes {
    /// Reads `palettes.toml`.
    ///
    /// # Errors
    /// [`PaletteError`] with the table and the value.
    pub fn parse(text: &str) -> Result<Self, PaletteError> {
        let file: PaletteFile = toml::from_str(text)?;
        let campaigns = file
            .general
            .campaign
            .iter()
            .map(|(name, campaign)| (name.clone(), general(&file.general, campaign)))
            .collect();
        let palettes =
            Self { campaigns, elder: elder(&file.elder), student: student(&file.student) };
        let named = palettes.campaigns.iter().map(|(name, palette)| (name.as_str(), palette));
        for (table, palette) in
            named.chain([("elder", &palettes.elder), ("student", &palettes.student)])
        {
            for value in palette.colours() {
                if luminance(value).is_none() {
                    return Err(PaletteError::Colour { table: table.into(), value: value.into() });
                }
            }
        }
        Ok(palettes)
    }

    /// The palette of an audience; the general family's goes by campaign name.
    #[must_use]
    pub fn get(&self, audience: Audience, campaign: &str) -> Option<&Palette> {
        match audience {
            Audience::General => self.campaigns.get(campaign),
            Audience::Elder => Some(&self.elder),
            Audience::Student => Some(&self.student),
        }
    }

    /// The campaign palettes by name.
    pub fn campaigns(&self) -> impl Iterator<Item = (&str, &Palette)> {
        self.campaigns.iter().map(|(name, palette)| (name.as_str(), palette))
    }
}

impl Palette {
    fn colours(&self) -> impl Iterator<Item = &str> {
        [
            &self.ground,
            &self.paper,
            &self.ink,
            &self.mute,
            &self.mist,
            &self.lure,
            &self.lure_shade,
            &self.alert,
            &self.alert_shade,
            &self.numeral,
            &self.strip,
            &self.strip_text,
            &self.strip_mute,
            &self.panel,
            &self.lemon,
        ]
        .into_iter()
        .chain(&self.treads)
        .chain(&self.pale)
        .map(String::as_str)
    }
}

/// The contrast of two `#RRGGBB` colours by the formula of WCAG 2.2 (1 to 21).
#[must_use]
pub fn contrast(one: &str, other: &str) -> Option<f32> {
    let (one, other) = (luminance(one)?, luminance(other)?);
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: &str) -> Option<f32> {
    let digits = colour.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii())?;
    let channel = |index: usize| -> Option<f32> {
        let value = f32::from(u8::from_str_radix(&digits[index..index + 2], 16).ok()?) / 255.0;
        Some(if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaletteFile {
    general: GeneralTable,
    elder: ElderTable,
    student: StudentTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GeneralTable {
    paper: String,
    ink: String,
    mute: String,
    alert: String,
    alert_shade: String,
    numeral: String,
    campaign: BTreeMap<String, CampaignTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CampaignTable {
    ground: String,
    lure: String,
    lure_shade: String,
    mist: String,
    treads: [String; 3],
    pale: [String; 3],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElderTable {
    ground: String,
    primary: String,
    act: String,
    ink: String,
    mute: String,
    strip_mute: String,
    lure: String,
    lure_shade: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StudentTable {
    ground: String,
    panel: String,
    ink: String,
    lemon: String,
    coral: String,
    coral_shade: String,
    mute: String,
}

const WHITE: &str = "#FFFFFF";

fn general(shared: &GeneralTable, campaign: &CampaignTable) -> Palette {
    Palette {
        ground: campaign.ground.clone(),
        paper: shared.paper.clone(),
        ink: shared.ink.clone(),
        mute: shared.mute.clone(),
        mist: campaign.mist.clone(),
        lure: campaign.lure.clone(),
        lure_style: format!("color:{}", campaign.lure),
        lure_shade: campaign.lure_shade.clone(),
        alert: shared.alert.clone(),
        alert_shade: shared.alert_shade.clone(),
        numeral: shared.numeral.clone(),
        treads: campaign.treads.clone(),
        pale: campaign.pale.clone(),
        strip: shared.paper.clone(),
        strip_text: shared.ink.clone(),
        strip_mute: shared.mute.clone(),
        panel: campaign.ground.clone(),
        lemon: shared.paper.clone(),
    }
}

fn elder(table: &ElderTable) -> Palette {
    let primary = || table.primary.clone();
    Palette {
        ground: table.ground.clone(),
        paper: primary(),
        ink: table.ink.clone(),
        mute: table.mute.clone(),
        mist: table.mute.clone(),
        lure: table.lure.clone(),
        lure_style: format!("color:{}", table.primary),
        lure_shade: table.lure_shade.clone(),
        alert: table.act.clone(),
        alert_shade: table.act.clone(),
        numeral: WHITE.into(),
        treads: [primary(), primary(), primary()],
        pale: [WHITE.into(), WHITE.into(), WHITE.into()],
        strip: primary(),
        strip_text: WHITE.into(),
        strip_mute: table.strip_mute.clone(),
        panel: WHITE.into(),
        lemon: WHITE.into(),
    }
}

fn student(table: &StudentTable) -> Palette {
    let ink = || table.ink.clone();
    Palette {
        ground: table.ground.clone(),
        paper: ink(),
        ink: ink(),
        mute: table.mute.clone(),
        mist: table.mute.clone(),
        lure: table.coral.clone(),
        lure_style: format!(
            "text-decoration:underline;text-decoration-color:{};\
             text-decoration-thickness:0.1em;text-underline-offset:0.04em",
            table.coral
        ),
        lure_shade: table.coral_shade.clone(),
        alert: table.coral.clone(),
        alert_shade: table.coral_shade.clone(),
        numeral: table.mute.clone(),
        treads: [table.panel.clone(), WHITE.into(), table.lemon.clone()],
        pale: [table.panel.clone(), table.panel.clone(), table.lemon.clone()],
        strip: WHITE.into(),
        strip_text: ink(),
        strip_mute: table.mute.clone(),
        panel: table.panel.clone(),
        lemon: table.lemon.clone(),
    }
}
