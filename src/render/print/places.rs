//! Where things stand on a printed poster and how large they are, for each family.

use super::view::Fonts;
use crate::model::Audience;

/// Where things stand on A4, in millimetres.
pub(super) struct Places {
    /// What the headline may fill.
    pub column: f64,
    /// Left, top, right and bottom of the object's field.
    pub object: [f32; 4],
    /// Heights of the first and the last tread.
    pub stair: [f64; 2],
    /// Smallest font size: letters of 1/200 of the distance, elders 1.5 times that.
    pub floor: f64,
    pub fonts: Fonts,
}

const GENERAL: Places = Places {
    column: 114.0,
    object: [92.0, 24.0, 202.0, 133.6],
    stair: [39.0, 55.0],
    floor: 4.34,
    fonts: Fonts {
        brand: 5.8,
        tag: 5.3,
        headline: 30.0,
        lead: 8.5,
        imperative: 14.0,
        line: 8.5,
        cue: 7.9,
        word: 10.6,
        numeral: 7.1,
        sentence: 5.8,
        number: 16.0,
        boxed: 18.0,
        note: 6.4,
    },
};

const ELDER: Places = Places {
    column: 180.0,
    object: [118.0, 204.0, 195.0, 249.0],
    stair: [0.0, 0.0],
    floor: 6.53,
    fonts: Fonts {
        brand: 7.2,
        tag: 7.0,
        headline: 36.0,
        lead: 13.0,
        imperative: 13.0,
        line: 11.0,
        cue: 11.0,
        word: 15.5,
        numeral: 10.0,
        sentence: 12.0,
        number: 50.0,
        boxed: 20.0,
        note: 8.0,
    },
};

const STUDENT: Places = Places {
    column: 180.0,
    object: [15.0, 96.0, 195.0, 160.0],
    stair: [0.0, 0.0],
    floor: 4.34,
    fonts: Fonts {
        brand: 5.8,
        tag: 5.3,
        headline: 30.0,
        lead: 8.0,
        imperative: 11.0,
        line: 7.4,
        cue: 7.4,
        word: 9.6,
        numeral: 6.4,
        sentence: 5.6,
        number: 10.6,
        boxed: 18.0,
        note: 6.4,
    },
};

impl Places {
    /// The family's.
    pub fn of(audience: Audience) -> &'static Self {
        match audience {
            Audience::General => &GENERAL,
            Audience::Elder => &ELDER,
            Audience::Student => &STUDENT,
        }
    }
}
