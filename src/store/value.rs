//! What goes into statements and comes out of rows.

use super::{Answer, StoreError};
use jiff::Timestamp;
use sqlx::{
    Any, Executor, Row, SqlSafeStr,
    any::{AnyArguments, AnyRow},
    query::Query,
};

/// A value handed to the database.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A number, or none.
    Number(Option<i64>),
    /// A text, or none.
    Text(Option<String>),
}

macro_rules! values_from {
    ($($source:ty => |$value:ident| $made:expr),+ $(,)?) => {
        $(impl From<$source> for Value { fn from($value: $source) -> Self { $made } })+
    };
}

values_from!(
    i64 => |value| Self::Number(Some(value)),
    u32 => |value| Self::Number(Some(i64::from(value))),
    Option<i64> => |value| Self::Number(value),
    Timestamp => |value| Self::Number(Some(value.as_millisecond())),
    Option<Timestamp> => |value| Self::Number(value.map(Timestamp::as_millisecond)),
    &str => |value| Self::Text(Some(value.to_owned())),
    String => |value| Self::Text(Some(value)),
    &String => |value| Self::Text(Some(value.clone())),
    Option<String> => |value| Self::Text(value),
    Option<&str> => |value| Self::Text(value.map(str::to_owned)),
    &crate::model::Digest => |value| Self::Text(Some(value.to_string())),
    &crate::model::ChannelId => |value| Self::Text(Some(value.as_str().to_owned())),
);

/// The values of a statement, in the order of its placeholders.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::value::Value::from($value)),*] };
}
pub(super) use values;

/// A statement with its values.
pub(super) fn prepared(
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Query<'static, Any, AnyArguments> {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Number(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
    })
}

/// `$from, $from+1, …`: so many placeholders.
pub(super) fn placeholders(from: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 6);
    for index in from..from + count {
        if index > from {
            text.push(',');
        }
        text.push('$');
        text.push_str(&index.to_string());
    }
    text
}

/// The rows of a question.
pub(super) async fn fetch_all<'c>(
    executor: impl Executor<'c, Database = Any>,
    what: &'static str,
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Answer<Vec<AnyRow>> {
    prepared(sql, values)
        .fetch_all(executor)
        .await
        .map_err(|error| StoreError::database(what, error))
}

/// The one row of a question, where there is one.
pub(super) async fn fetch_optional<'c>(
    executor: impl Executor<'c, Database = Any>,
    what: &'static str,
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Answer<Option<AnyRow>> {
    prepared(sql, values)
        .fetch_optional(executor)
        .await
        .map_err(|error| StoreError::database(what, error))
}

/// Changes rows; how many.
pub(super) async fn execute<'c>(
    executor: impl Executor<'c, Database = Any>,
    what: &'static str,
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Answer<u64> {
    prepared(sql, values)
        .execute(executor)
        .await
        .map(|done| done.rows_affected())
        .map_err(|error| StoreError::database(what, error))
}

/// Reading a row's columns; a column that does not fit names itself.
pub(super) trait Columns {
    /// A number.
    fn number(&self, column: &str) -> Answer<i64>;
    /// A number that may be missing.
    fn maybe_number(&self, column: &str) -> Answer<Option<i64>>;
    /// A text.
    fn text(&self, column: &str) -> Answer<String>;
    /// A text that may be missing.
    fn maybe_text(&self, column: &str) -> Answer<Option<String>>;

    /// A count.
    fn count(&self, column: &str) -> Answer<u32> {
        let number = self.number(column)?;
        u32::try_from(number).map_err(|_| corrupt(column, &number.to_string()))
    }
    /// A moment.
    fn moment(&self, column: &str) -> Answer<Timestamp> {
        moment(self.number(column)?)
    }
    /// A moment that may be missing.
    fn maybe_moment(&self, column: &str) -> Answer<Option<Timestamp>> {
        self.maybe_number(column)?.map(moment).transpose()
    }
    /// A text, read by `read`.
    fn parsed<T>(&self, column: &str, read: impl Fn(&str) -> Option<T>) -> Answer<T> {
        let text = self.text(column)?;
        read(&text).ok_or_else(|| corrupt(column, &text))
    }
}

impl Columns for AnyRow {
    fn number(&self, column: &str) -> Answer<i64> {
        self.try_get(column).map_err(|error| misread(column, &error))
    }
    fn maybe_number(&self, column: &str) -> Answer<Option<i64>> {
        self.try_get(column).map_err(|error| misread(column, &error))
    }
    fn text(&self, column: &str) -> Answer<String> {
        self.try_get(column).map_err(|error| misread(column, &error))
    }
    fn maybe_text(&self, column: &str) -> Answer<Option<String>> {
        self.try_get(column).map_err(|error| misread(column, &error))
    }
}

fn misread(column: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt { what: format!("列 {column}"), reason: error.to_string() }
}

/// A value that does not fit its column.
pub(super) fn corrupt(what: &str, value: &str) -> StoreError {
    let value: String = value.chars().take(80).collect();
    StoreError::Corrupt { what: what.to_owned(), reason: format!("不认识“{value}”") }
}

/// A moment from milliseconds.
pub(super) fn moment(milliseconds: i64) -> Answer<Timestamp> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| corrupt("时间", &milliseconds.to_string()))
}
