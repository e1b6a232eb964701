//! A transcript of Claude Code that grows: its cost, without reading it again from the beginning.

use std::collections::VecDeque;

use farthing_core::Usd;
use farthing_wire::Dialect;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::claude_code::{Answer, answer};
use crate::log::{Billed, hash};
use crate::priced::sum;
use crate::usage::billed;

/// Answers whose lines may still come. Those of different sub-agents may be mixed.
const OPEN_MAX: usize = 64;

/// What was read of a transcript so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tail {
    /// How much of the file was read.
    pub offset: u64,
    /// The session.
    pub session: Option<String>,
    /// The model that answered last.
    pub model: Option<String>,
    /// The last prompt of the main conversation, in tokens.
    pub prompt: u64,
    /// The day that `today` is of, and the cost of that day; of answers that may not grow any more.
    today: (String, Usd),
    /// The same of all days.
    total: Usd,
    /// Answers that may still grow.
    open: VecDeque<Open>,
    /// Requests without a known price.
    pub unpriced: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    key: u64,
    day: String,
    usd: Option<Usd>,
}

/// What asks for the cost of a request: provider, model, when, what was consumed.
pub type Price<'a> = dyn FnMut(&str, &str, Option<Timestamp>, &Billed) -> Option<Usd> + 'a;

// === impl Tail ===

impl Tail {
    /// Takes what follows in the file, up to its last whole line.
    pub fn read(
        &mut self,
        bytes: &[u8],
        day: &dyn Fn(Option<Timestamp>) -> String,
        price: &mut Price<'_>,
    ) {
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let Some(bytes) = bytes.get(..whole) else { return };
        self.offset += whole as u64;
        for line in bytes.split(|byte| *byte == b'\n') {
            // Most lines have no usage; looking for the word is faster than reading them.
            let Ok(text) = str::from_utf8(line) else { continue };
            if memchr::memmem::find(line, b"\"usage\"").is_none() {
                continue;
            }
            if let Some(answer) = answer(text) {
                self.take(&answer, day, price);
            }
        }
    }

    /// What the session cost so far.
    pub fn total(&self) -> Usd {
        let open = self.open.iter().filter_map(|open| open.usd);
        open.fold(self.total, sum)
    }

    /// What it cost on a day.
    pub fn on(&self, day: &str) -> Usd {
        let closed = if self.today.0 == day { self.today.1 } else { Usd::ZERO };
        let open = self.open.iter().filter(|open| open.day == day);
        open.filter_map(|open| open.usd).fold(closed, sum)
    }

    fn take(
        &mut self,
        answer: &Answer,
        day: &dyn Fn(Option<Timestamp>) -> String,
        price: &mut Price<'_>,
    ) {
        let read = billed(Dialect::Anthropic, &answer.model, &answer.usage, None);
        let Ok(Some(billed)) = read else { return };
        let usd = price(answer.provider, &answer.model, answer.at, &billed);
        if self.session.is_none() {
            self.session.clone_from(&answer.session);
        }
        if !answer.of_agent {
            self.prompt = billed.usage.prompt();
            self.model = Some(answer.model.clone());
        }
        let key = hash(&answer.key);
        match self.open.iter_mut().find(|open| open.key == key) {
            Some(open) => open.usd = usd,
            None => self.open.push_back(Open { key, day: day(answer.at), usd }),
        }
        while self.open.len() > OPEN_MAX {
            if let Some(closed) = self.open.pop_front() {
                self.close(closed);
            }
        }
    }

    fn close(&mut self, closed: Open) {
        let Some(usd) = closed.usd else {
            self.unpriced += 1;
            return;
        };
        self.total = sum(self.total, usd);
        if self.today.0 < closed.day {
            self.today = (closed.day.clone(), Usd::ZERO);
        }
        if self.today.0 == closed.day {
            self.today.1 = sum(self.today.1, usd);
        }
    }
}
