//! The passes over texts: what each message becomes by itself and by those before it in the same
//! request. Lossless codecs and references always; handles where the mode allows them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blake3::Hasher;
use farthing_core::prompt::{Message, Part, Prompt, Role, Span};

use crate::codec::earlier::{Earlier, Place};
use crate::codec::marker::contains_plain;
use crate::codec::{CODECS, shorten};
use crate::edit::{Change, Class, Edit};
use crate::handles::{self, Left, Original};
use crate::memo::{Key, Memo};
use crate::mode::Mode;
use crate::regions::{Observations, Region, escaped, regions};

/// Shorter texts are not looked at: nothing in them is worth a marker.
const TEXT_BYTES_MIN: usize = 16;

/// The pass that refers to what stands earlier, in receipts.
const EARLIER: &str = "earlier";

/// A shorter observation is not worth masking.
const MASKED_BYTES_MIN: usize = 400;

/// What one codec did may be what another one waited for; they come round so often at the most.
const ROUNDS_MAX: usize = 4;

/// The pass with what it worked out before.
#[derive(Debug)]
pub(crate) struct Texts {
    memo: Mutex<Memo<Arc<Done>>>,
}

/// What came of the messages of a conversation, as far as it went.
#[derive(Clone, Debug, Default)]
struct Done {
    /// For each message its shortened texts.
    messages: Vec<Arc<[Short]>>,
    /// What later texts may refer to.
    earlier: Earlier,
    /// How many results of tools there were.
    results: u32,
    /// How many documents there were in messages.
    documents: u32,
    /// About how much memory it takes.
    bytes: usize,
}

/// A text that was shortened.
#[derive(Clone, Debug)]
struct Short {
    /// Its bytes, counted from the message's first.
    at: Span,
    with: String,
    pass: &'static str,
    class: Class,
    removed: u64,
    /// What was left out of it, if anything was.
    original: Option<Original>,
}

/// What the pass needs to know of a request beside its messages.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) prompt: &'a Prompt,
    /// Whose request it is: nobody shares what was worked out for somebody else.
    pub(crate) owner: &'a str,
    pub(crate) model: &'a str,
    pub(crate) observations: Observations,
    /// How far to go.
    pub(crate) mode: Mode,
    /// Results of tools in so many messages at the start are masked.
    pub(crate) masked: usize,
    /// The tokens of a text.
    pub(crate) count: &'a dyn Fn(&str) -> u64,
}

// === impl Texts ===

impl Texts {
    pub(crate) fn new(bytes_max: usize) -> Texts {
        Texts { memo: Mutex::new(Memo::new(bytes_max)) }
    }

    /// What becomes of every message, in the order of the body.
    pub(crate) fn changes(&self, task: &Task) -> Vec<(Change, Option<Original>)> {
        let keys = keys(task);
        let (known, done) = self.longest_known(&keys);
        let all_known = known == keys.len();
        let done = if all_known { done } else { self.extended(task, known, done, &keys) };
        let messages = task.prompt.messages.iter().zip(&done.messages).enumerate();
        let changes = messages.flat_map(|(index, (message, shorts))| {
            let start = message.span.start;
            shorts.iter().map(move |short| {
                let change = Change {
                    edit: Edit {
                        at: start + short.at.start..start + short.at.end,
                        with: short.with.clone(),
                    },
                    pass: short.pass,
                    class: short.class,
                    message: Some(index),
                    removed: short.removed,
                };
                (change, short.original.clone())
            })
        });
        changes.collect()
    }

    /// How many messages at the start were seen before, and what came of them.
    fn longest_known(&self, keys: &[Key]) -> (usize, Arc<Done>) {
        let mut memo = self.lock();
        let known = keys.iter().enumerate().rev().find_map(|(at, key)| Some((at, memo.get(key)?)));
        known.map_or_else(Default::default, |(at, done)| (at + 1, done))
    }

    /// Goes on from what was done with the first `known` messages. That is forgotten then: who
    /// continues a conversation rarely comes back to an earlier state of it.
    fn extended(&self, task: &Task, known: usize, done: Arc<Done>, keys: &[Key]) -> Arc<Done> {
        if let Some(before) = known.checked_sub(1).and_then(|last| keys.get(last)) {
            self.lock().remove(before);
        }
        let mut done = Arc::unwrap_or_clone(done);
        let messages = &task.prompt.messages;
        let first_user = messages.iter().position(|message| message.role == Role::User);
        for (index, message) in messages.iter().enumerate().skip(known) {
            done.add(task, index, message, first_user);
        }
        let done = Arc::new(done);
        if let Some(key) = keys.last() {
            self.lock().put(*key, Arc::clone(&done), done.bytes);
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, Memo<Arc<Done>>> {
        self.memo.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Task ===

impl Task<'_> {
    /// What is left of an observation in the message at `index` where the mode lets go of some.
    fn left(&self, index: usize, text: &str) -> Option<Left> {
        if index < self.masked && self.mode.allows(Class::L3) {
            return (text.len() >= MASKED_BYTES_MIN).then(|| handles::masked(text, self.owner));
        }
        self.mode.allows(Class::L2).then(|| handles::left(text, self.owner)).flatten()
    }
}

// === impl Done ===

impl Done {
    /// Shortens the texts of the next message, and remembers all that it says.
    fn add(&mut self, task: &Task, index: usize, message: &Message, first_user: Option<usize>) {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        self.results += u32::from(message.role == Role::Tool);
        let regions = regions(task.prompt, index, message, first_user, task.observations);
        let mut shorts = Vec::new();
        for (at, region) in regions.iter().enumerate() {
            let place = match (message.role, region.is_document) {
                (_, true) => {
                    self.documents += 1;
                    Place::Document(self.documents)
                }
                (Role::Tool, false) => Place::ToolResult(self.results),
                (_, false) => Place::Message(number),
            };
            let start = message.span.start;
            let left = if region.is_document { None } else { task.left(index, &region.text) };
            let short = Short::of(region, start, place, left, &self.earlier, task.count);
            // Two parts of a message have one name, and only the first can be referred to by it.
            if at == 0 || region.is_document {
                let sent = short.as_ref().map_or(&*region.text, |(_, text)| text);
                self.remember(place, sent);
            }
            shorts.extend(short.map(|(short, _)| short));
        }
        if let ([], [Part::Text(literal)]) = (regions.as_slice(), message.parts.as_slice()) {
            self.remember(Place::Message(number), &task.prompt.text(literal));
        }
        self.bytes +=
            shorts.iter().map(|short| size_of::<Short>() + short.with.len()).sum::<usize>();
        self.messages.push(shorts.into());
    }

    fn remember(&mut self, place: Place, text: &str) {
        /// A line in the index of what can be referred to.
        const LINE_BYTES: usize = 80;
        self.bytes += text.len() + text.lines().count() * LINE_BYTES;
        self.earlier.add(place, text);
    }
}

/// For each message a hash of it and of all before it.
fn keys(task: &Task) -> Vec<Key> {
    let mut chain = Hasher::new();
    for part in [task.owner, task.model] {
        chain.update(&part.len().to_le_bytes()).update(part.as_bytes());
    }
    chain.update(&[task.observations as u8, task.mode as u8]);
    chain.update(&task.masked.to_le_bytes());
    let key = |span: &Span| {
        let raw = task.prompt.raw(span).as_bytes();
        chain.update(&raw.len().to_le_bytes()).update(raw);
        *chain.finalize().as_bytes()
    };
    task.prompt.messages.iter().map(|message| &message.span).map(key).collect()
}

// === impl Short ===

impl Short {
    /// What the codecs, and references to what stands earlier, make of a text; and the text as it
    /// is sent then. `None` where nothing takes fewer tokens.
    fn of(
        region: &Region,
        start: usize,
        place: Place,
        left: Option<Left>,
        earlier: &Earlier,
        count: &dyn Fn(&str) -> u64,
    ) -> Option<(Short, String)> {
        // What has our markers was shortened before, or speaks of them: it stays as it is.
        if region.text.len() < TEXT_BYTES_MIN || contains_plain(&region.text) {
            return None;
        }
        let mut best = Best::default();
        let left = left.and_then(|left| best.leaving_out(&region.text, left, count));
        for _ in 0..ROUNDS_MAX {
            let coded = best.coded(&region.text, count);
            let referring = best.referring(&region.text, place, earlier, count);
            if !coded && !referring {
                break;
            }
        }
        let Best { text, pass, before, after } = best;
        let short = Short {
            at: region.at.start.checked_sub(start)?..region.at.end.checked_sub(start)?,
            with: escaped(text.as_ref()?),
            pass,
            class: left.as_ref().map_or(Class::L1, |(class, _)| *class),
            original: left.map(|(_, original)| original),
            removed: before.checked_sub(after).filter(|removed| *removed > 0)?,
        };
        Some((short, text?))
    }
}

/// The shortest spelling of a text so far.
#[derive(Default)]
struct Best {
    /// `None` as long as it is the original.
    text: Option<String>,
    pass: &'static str,
    /// Tokens of the original and of the text; known once the text is.
    before: u64,
    after: u64,
}

impl Best {
    /// Takes what is left of the original, where that has fewer tokens.
    fn leaving_out(
        &mut self,
        original: &str,
        left: Left,
        count: &dyn Fn(&str) -> u64,
    ) -> Option<(Class, Original)> {
        let (before, after) = (count(original), count(&left.text));
        (after < before).then(|| {
            self.set(left.text, left.pass, before, after);
            (left.class, left.original)
        })
    }

    /// Lets the codecs at it; whether they found anything.
    fn coded(&mut self, original: &str, count: &dyn Fn(&str) -> u64) -> bool {
        let text = self.text.as_deref().unwrap_or(original);
        let Some(coded) = shorten(text, CODECS, count) else { return false };
        let pass = coded.codecs.last().map_or("", |codec| codec.name());
        self.set(coded.text, pass, coded.tokens_before, coded.tokens_after);
        true
    }

    /// Looks for what stands earlier; whether there was anything worth a reference.
    fn referring(
        &mut self,
        original: &str,
        place: Place,
        earlier: &Earlier,
        count: &dyn Fn(&str) -> u64,
    ) -> bool {
        let text = self.text.as_deref().unwrap_or(original);
        let Some(referring) = earlier.encode(place, text) else { return false };
        let before = if self.text.is_some() { self.after } else { count(text) };
        let after = count(&referring);
        if after < before {
            self.set(referring, EARLIER, before, after);
        }
        after < before
    }

    fn set(&mut self, text: String, pass: &'static str, before: u64, after: u64) {
        if self.text.is_none() {
            self.before = before;
        }
        (self.text, self.pass, self.after) = (Some(text), pass, after);
    }
}
