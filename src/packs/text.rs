//! Identifiers and names as text in JSON.

use crate::model::{Audience, BranchId, Digest, LessonId, MediaType, OutputKind};
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt::Display;

/// What can be read from the text that it is shown as.
pub(super) trait FromText: Sized {
    /// `None` where the text is none of them.
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! from_text {
    ($($name:ident: $read:expr),+ $(,)?) => {
        $(impl FromText for $name {
            fn from_text(text: &str) -> Option<Self> {
                $read(text)
            }
        })+
    };
}

from_text! {
    Digest: Digest::from_hex,
    LessonId: |text| LessonId::new(text).ok(),
    BranchId: |text| BranchId::new(text).ok(),
    MediaType: MediaType::from_name,
    OutputKind: OutputKind::from_name,
    Audience: Audience::from_name,
}

fn read<T: FromText, E: serde::de::Error>(text: &str) -> Result<T, E> {
    T::from_text(text).ok_or_else(|| E::custom(format!("{text:?} 读不懂")))
}

pub(super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

pub(super) fn deserialize<'de, T: FromText, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    read(&String::deserialize(from)?)
}

/// The same for what may be absent.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Display, FromText, Serializer, read};

    #[expect(clippy::ref_option, reason = "serde hands over the field")]
    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: FromText, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| read(&text)).transpose()
    }
}

/// The same for a list that may be absent.
pub(super) mod list {
    use super::{Deserialize, Deserializer, Display, FromText, Serializer, read};

    #[expect(clippy::ref_option, reason = "serde hands over the field")]
    pub(crate) fn serialize<T: Display, S: Serializer>(
        list: &Option<Vec<T>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match list {
            Some(list) => to.collect_seq(list.iter().map(ToString::to_string)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: FromText, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<T>>, D::Error> {
        let texts = Option::<Vec<String>>::deserialize(from)?;
        texts.map(|texts| texts.iter().map(|text| read(text)).collect()).transpose()
    }
}

/// Weekdays, 1 for Monday to 7 for Sunday (ISO 8601).
pub(super) mod days {
    use super::{Deserialize, Deserializer, Serializer};
    use jiff::civil::Weekday;
    use serde::{Serialize as _, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(days: &[Weekday], to: S) -> Result<S::Ok, S::Error> {
        let numbers: Vec<i8> = days.iter().map(|day| day.to_monday_one_offset()).collect();
        numbers.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Weekday>, D::Error> {
        let numbers = Vec::<i8>::deserialize(from)?;
        let day = |number: i8| Weekday::from_monday_one_offset(number).map_err(D::Error::custom);
        numbers.into_iter().map(day).collect()
    }
}
