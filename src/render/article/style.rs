//! Declarations of a theme, checked when they are read and painted when a palette is known.
//!
//! Only properties that the WeChat editor keeps exist here, so a theme that names another one is
//! refused with its line instead of looking different once it is published.

use crate::render::Palette;
use serde::{Deserialize, Deserializer, de::Error as _};

macro_rules! properties {
    ($($(#[$mark:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// A CSS property that survives in an article.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Property { $($name),+ }

        impl Property {
            const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in CSS.
            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

// The inherited ones come first: `INHERITED` counts them.
properties!(
    Color = "color",
    FontSize = "font-size",
    FontWeight = "font-weight",
    FontStyle = "font-style",
    FontFamily = "font-family",
    LineHeight = "line-height",
    LetterSpacing = "letter-spacing",
    TextAlign = "text-align",
    WordBreak = "word-break",
    BackgroundColor = "background-color",
    TextDecoration = "text-decoration",
    VerticalAlign = "vertical-align",
    Display = "display",
    Flex = "flex",
    FlexDirection = "flex-direction",
    AlignItems = "align-items",
    JustifyContent = "justify-content",
    Margin = "margin",
    MarginTop = "margin-top",
    MarginLeft = "margin-left",
    MarginRight = "margin-right",
    MarginBottom = "margin-bottom",
    Padding = "padding",
    PaddingTop = "padding-top",
    PaddingBottom = "padding-bottom",
    Border = "border",
    BorderTop = "border-top",
    BorderBottom = "border-bottom",
    BorderLeft = "border-left",
    BorderRadius = "border-radius",
    BorderCollapse = "border-collapse",
    Width = "width",
    MinWidth = "min-width",
    MaxWidth = "max-width",
    Height = "height",
    Overflow = "overflow",
    OverflowX = "overflow-x",
);

/// How many properties a child takes from its parent.
pub(super) const INHERITED: usize = Property::BackgroundColor as usize;

impl Property {
    /// Whether a child takes the value from its parent.
    pub(super) fn is_inherited(self) -> bool {
        (self as usize) < INHERITED
    }
}

/// Painted declarations, in the theme's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Style(pub(super) Vec<(Property, String)>);

/// Declarations as a theme writes them: `color:{ink};margin:0 0 16px`.
#[derive(Debug, Clone)]
pub(super) struct StyleText {
    declarations: Vec<(Property, Vec<Piece>)>,
}

#[derive(Debug, Clone)]
enum Piece {
    Literal(String),
    Token(fn(&Palette) -> &str),
}

impl StyleText {
    /// The declarations in a palette's colours.
    pub(super) fn paint(&self, palette: &Palette) -> Style {
        let value = |pieces: &[Piece]| match pieces {
            [Piece::Literal(text)] => text.clone(),
            pieces => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) => text.as_str(),
                    Piece::Token(token) => token(palette),
                })
                .collect(),
        };
        Style(
            self.declarations.iter().map(|(property, pieces)| (*property, value(pieces))).collect(),
        )
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut declarations = Vec::new();
        for declaration in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) =
                declaration.split_once(':').ok_or_else(|| format!("“{declaration}”缺少冒号"))?;
            let (name, value) = (name.trim(), value.trim());
            let property = Property::ALL
                .iter()
                .copied()
                .find(|property| property.as_str() == name)
                .ok_or_else(|| format!("微信文章里不能用样式“{name}”"))?;
            declarations.push((property, pieces(value)?));
        }
        let has = |wanted| declarations.iter().any(|(property, _)| *property == wanted);
        if has(Property::BackgroundColor) && !has(Property::Color) {
            return Err("写了 background-color 就要写 color，否则深色模式里会看不清".into());
        }
        Ok(Self { declarations })
    }
}

fn pieces(value: &str) -> Result<Vec<Piece>, String> {
    let forbidden = ["url(", "var(", "expression", "\"", "<", ">", "&", "\\"];
    if let Some(part) = forbidden.iter().find(|part| value.contains(**part)) {
        return Err(format!("样式的值“{value}”里不能有 {part}"));
    }
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("“{value}”缺少右花括号"))?;
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.to_owned()));
        }
        let token = token(name).ok_or_else(|| format!("配色里没有“{name}”"))?;
        pieces.push(Piece::Token(token));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    if pieces.is_empty() { Err("样式的值是空的".into()) } else { Ok(pieces) }
}

fn token(name: &str) -> Option<fn(&Palette) -> &str> {
    Some(match name {
        "ground" => |palette| &palette.ground,
        "paper" => |palette| &palette.paper,
        "ink" => |palette| &palette.ink,
        "mute" => |palette| &palette.mute,
        "mist" => |palette| &palette.mist,
        "lure" => |palette| &palette.lure,
        "lure_shade" => |palette| &palette.lure_shade,
        "alert" => |palette| &palette.alert,
        "alert_shade" => |palette| &palette.alert_shade,
        "tread1" => |palette| &palette.treads[0],
        "tread2" => |palette| &palette.treads[1],
        "tread3" => |palette| &palette.treads[2],
        "pale1" => |palette| &palette.pale[0],
        "pale2" => |palette| &palette.pale[1],
        "pale3" => |palette| &palette.pale[2],
        "strip" => |palette| &palette.strip,
        "strip_text" => |palette| &palette.strip_text,
        "strip_mute" => |palette| &palette.strip_mute,
        "panel" => |palette| &palette.panel,
        "lemon" => |palette| &palette.lemon,
        _ => return None,
    })
}

impl<'de> Deserialize<'de> for StyleText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}
