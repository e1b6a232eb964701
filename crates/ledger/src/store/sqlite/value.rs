//! Values of the core as SQLite keeps them, and back.

use std::error::Error as StdError;
use std::str::FromStr;

use farthing_core::Usd;
use farthing_core::budget::Amount;
use farthing_core::money::{Overflow, PICO_PER_USD};
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, Type};
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An amount as two integers of the same sign: whole dollars, and the pico-dollars that remain.
pub(super) fn money(amount: Usd) -> rusqlite::Result<[i64; 2]> {
    let (dollars, pico) = amount.parts();
    match (i64::try_from(dollars), i64::try_from(pico)) {
        (Ok(dollars), Ok(pico)) => Ok([dollars, pico]),
        _ => Err(rusqlite::Error::ToSqlConversionFailure(Box::new(Overflow))),
    }
}

pub(super) fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    let json = serde_json::to_string(value);
    json.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A row's columns, taken one after the other in the order of the statement that reads them.
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

// === impl Columns ===

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row<'a>) -> Columns<'a> {
        Columns { row, next: 0 }
    }

    pub(super) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.get(column)
    }

    /// A count, which is never negative.
    pub(super) fn count(&mut self) -> rusqlite::Result<u64> {
        let count: i64 = self.take()?;
        u64::try_from(count).map_err(|error| self.damaged(error))
    }

    pub(super) fn time(&mut self) -> rusqlite::Result<Timestamp> {
        let microseconds = self.take()?;
        Timestamp::from_microsecond(microseconds).map_err(|error| self.damaged(error))
    }

    pub(super) fn optional_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        let microseconds: Option<i64> = self.take()?;
        let time = microseconds.map(Timestamp::from_microsecond).transpose();
        time.map_err(|error| self.damaged(error))
    }

    pub(super) fn money(&mut self) -> rusqlite::Result<Usd> {
        let amount = self.optional_money()?;
        amount.ok_or_else(|| self.damaged(Missing))
    }

    pub(super) fn amount(&mut self) -> rusqlite::Result<Amount> {
        Ok(Amount { usd: self.money()?, tokens: self.count()?, requests: self.count()? })
    }

    pub(super) fn optional_money(&mut self) -> rusqlite::Result<Option<Usd>> {
        let parts: (Option<i64>, Option<i64>) = (self.take()?, self.take()?);
        let (Some(dollars), Some(pico)) = parts else { return Ok(None) };
        // 64 bits of dollars are far from 128 bits of pico-dollars.
        Ok(Some(Usd::from_pico(i128::from(dollars) * PICO_PER_USD + i128::from(pico))))
    }

    /// A name, an identifier: what has a textual form.
    pub(super) fn parsed<T>(&mut self) -> rusqlite::Result<T>
    where
        T: FromStr<Err: StdError + Send + Sync + 'static>,
    {
        self.optional()?.ok_or_else(|| self.damaged(Missing))
    }

    pub(super) fn optional<T>(&mut self) -> rusqlite::Result<Option<T>>
    where
        T: FromStr<Err: StdError + Send + Sync + 'static>,
    {
        let text: Option<&str> = self.text()?;
        text.map(|text| text.parse().map_err(|error| self.damaged(error))).transpose()
    }

    /// As [`Columns::optional`], where a part of a key that is absent is an empty text.
    pub(super) fn unless_empty<T>(&mut self) -> rusqlite::Result<Option<T>>
    where
        T: FromStr<Err: StdError + Send + Sync + 'static>,
    {
        let text = self.text()?.filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|error| self.damaged(error))).transpose()
    }

    /// One word of several that are known.
    pub(super) fn word<T: for<'w> Deserialize<'w>>(&mut self) -> rusqlite::Result<T> {
        self.optional_word()?.ok_or_else(|| self.damaged(Missing))
    }

    pub(super) fn optional_word<T: for<'w> Deserialize<'w>>(
        &mut self,
    ) -> rusqlite::Result<Option<T>> {
        let Some(text) = self.text()? else { return Ok(None) };
        let word: StrDeserializer<'_, WordError> = text.into_deserializer();
        T::deserialize(word).map(Some).map_err(|error| self.damaged(error))
    }

    pub(super) fn optional_json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        let Some(text) = self.text()? else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|error| self.damaged(error))
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        self.optional_json()?.ok_or_else(|| self.damaged(Missing))
    }

    /// Passes over columns that this kind of row leaves empty.
    pub(super) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    fn text(&mut self) -> rusqlite::Result<Option<&'a str>> {
        let column = self.next;
        self.next += 1;
        let text = self.row.get_ref(column)?.as_str_or_null();
        text.map_err(|error| self.damaged(error))
    }

    /// The column that was taken last does not hold what it should.
    pub(super) fn damaged(&self, why: impl StdError + Send + Sync + 'static) -> rusqlite::Error {
        let column = self.next.saturating_sub(1);
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(why))
    }
}

#[derive(Debug, Error)]
#[error("a value is missing")]
struct Missing;
