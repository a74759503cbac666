//! The files of the pages, and the two pages that carry the branch's own words.

use super::source::Card;
use crate::model::{Digest, PackScreen};
use std::{fmt::Write as _, sync::LazyLock};

/// The faces of the project. They come in through the caller: the room that owns them is not ours.
#[derive(Debug, Clone, Copy)]
pub struct Faces {
    /// Weight 400, as WOFF2.
    pub regular: &'static [u8],
    /// Weight 700, as WOFF2.
    pub bold: &'static [u8],
}

const PLAYER_HTML: &str = include_str!("page/player.html");
const INDEX_HTML: &str = include_str!("page/index.html");

/// What is served under `/page/`.
const FILES: &[(&str, &str, &str)] = &[
    ("player.css", "text/css; charset=utf-8", include_str!("page/player.css")),
    ("card.css", "text/css; charset=utf-8", include_str!("page/card.css")),
    ("player.js", "text/javascript; charset=utf-8", include_str!("page/player.js")),
    ("card.js", "text/javascript; charset=utf-8", include_str!("page/card.js")),
    ("report.js", "text/javascript; charset=utf-8", include_str!("page/report.js")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("index.css", "text/css; charset=utf-8", include_str!("page/index.css")),
    ("index.js", "text/javascript; charset=utf-8", include_str!("page/index.js")),
];

/// The service worker; it stands at the root because that is as far as it may reach.
pub(super) const WORKER: &str = include_str!("page/worker.js");

/// Changes with every file of the pages: a page that runs an older one loads itself anew.
pub(super) static BUILD: LazyLock<String> = LazyLock::new(|| {
    let files = FILES.iter().map(|(_, _, text)| text.as_bytes());
    let pages = [PLAYER_HTML.as_bytes(), WORKER.as_bytes()];
    Digest::of_fields(files.chain(pages)).to_string()[..16].to_owned()
});

/// A file of the pages: its type and its text.
pub(super) fn file(name: &str) -> Option<(&'static str, &'static str)> {
    FILES.iter().find(|(known, _, _)| *known == name).map(|(_, kind, text)| (*kind, *text))
}

/// The player of one screen, with the card already in it.
pub(super) fn player(screen: &str, card: &Card) -> String {
    fill(
        PLAYER_HTML,
        &[
            ("screen", screen),
            ("build", &BUILD),
            ("bank", &card.bank),
            ("branch", &card.branch),
            ("hotline", &card.hotline),
        ],
    )
}

/// The list of screens.
pub(super) fn index(host: &str, card: &Card, screens: &[PackScreen]) -> String {
    let mut rows = String::new();
    for screen in screens {
        let (name, path) = (escape(&screen.screen), escape(&encode(&screen.screen)));
        let (width, height) = (screen.width, screen.height);
        let (wide, high) = frame(width, height);
        let _ = write!(
            rows,
            "<li class=\"screen\" data-screen=\"{name}\">\
             <a class=\"preview\" href=\"/screen/{path}\"><svg class=\"frame\" width=\"{wide}\" \
             height=\"{high}\" aria-hidden=\"true\"></svg><img alt=\"\"></a>\
             <div class=\"facts\"><h2>{name}</h2><p>{profile}，{width}×{height}，每张 {dwell} 秒</p>\
             <p class=\"standing\">正在读取…</p>\
             <pre>chromium --kiosk --noerrdialogs --disable-session-crashed-bubble \
             --user-data-dir=$HOME/.caishi-{path} http://{host}/screen/{path}</pre></div></li>",
            profile = escape(&screen.profile),
            dwell = screen.dwell_s,
            host = escape(host),
        );
    }
    if screens.is_empty() {
        rows.push_str("<li class=\"none\">还没有收到本网点的清单，或清单里没有屏幕。先运行 caishi branch pull。</li>");
    }
    let page = fill(INDEX_HTML, &[("bank", &card.bank), ("branch", &card.branch)]);
    page.replace("{{{screens}}}", &rows)
}

/// A screen's shape in the list, in pixels: as large as fits into its place.
fn frame(width: u32, height: u32) -> (u32, u32) {
    const PLACE: (u32, u32) = (220, 200);
    let (width, height) = (width.clamp(1, 100_000), height.clamp(1, 100_000));
    if width * PLACE.1 > height * PLACE.0 {
        (PLACE.0, (height * PLACE.0 / width).max(1))
    } else {
        ((width * PLACE.1 / height).max(1), PLACE.1)
    }
}

/// Puts words into a page. Each is escaped, and no word is looked at for further places.
pub(super) fn fill(page: &str, words: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(page.len() + 256);
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let known = after.split_once("}}").and_then(|(name, after)| {
            let (_, word) = words.iter().find(|(known, _)| *known == name)?;
            Some((word, after))
        });
        match known {
            Some((word, after)) => {
                filled.push_str(&escape(word));
                rest = after;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// As text or as the value of an attribute in double quotes.
pub(super) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

/// As one segment of a path.
pub(super) fn encode(segment: &str) -> String {
    segment.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
