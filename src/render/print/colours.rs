//! Which colours meet on paper, for the check of contrasts: a finished PDF does not tell.

use super::leaflet::Colours;
use crate::{model::Audience, render::Palette};

const WHITE: &str = "#FFFFFF";
/// The sheet under the general family's poster.
const SHEET: &str = "#F7F5EF";

/// Text and ground.
type Pairs = Vec<(String, String)>;

/// The pairs of text and ground that an audience's posters, leaflet and sheets use, `#RRGGBB`
/// each, and those of large letters only. Decoration, such as the stair beside a heading, is no text.
#[must_use]
pub fn colour_pairs(audience: Audience, palette: &Palette) -> (Pairs, Pairs) {
    let p = palette;
    let own = Colours::of(audience, palette);
    // Leaflet, booth and morning sheet.
    let mut pairs: Vec<(&str, &str)> = vec![
        (&p.ink, WHITE),
        (&p.mute, WHITE),
        (&own.heading, WHITE),
        (&p.ink, &own.panel),
        (&p.mute, &own.panel),
        (&own.heading, &own.panel),
        (&p.paper, &p.ground),
        (&own.lead, &p.ground),
        (WHITE, &p.ink),
    ];
    let mut large: Vec<(&str, &str)> = Vec::new();
    // Posters.
    match audience {
        Audience::General => {
            pairs.extend([(p.ink.as_str(), SHEET), (&p.lure, &p.ground), (&p.numeral, &p.ground)]);
            for tread in &p.pale {
                pairs.push((&p.ink, tread));
                // The numerals of the steps.
                large.push((&p.mute, tread));
            }
        }
        Audience::Elder => pairs.extend([
            (p.ink.as_str(), p.ground.as_str()),
            (&p.alert, &p.ground),
            (WHITE, &p.paper),
            (WHITE, &p.alert),
            (&p.strip_text, &p.strip),
            (&p.strip_mute, &p.strip),
        ]),
        Audience::Student => {
            pairs.extend([(p.lemon.as_str(), p.ink.as_str()), (&p.ink, &p.lemon)]);
        }
    }
    let owned = |pairs: Vec<(&str, &str)>| -> Pairs {
        pairs.into_iter().map(|(text, ground)| (text.to_owned(), ground.to_owned())).collect()
    };
    (owned(pairs), owned(large))
}
