//! Splitter, cache and merges together.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::available_parallelism;

use crate::cache::Cache;
use crate::encoding::Tokenizer;
use crate::key::Key;
use crate::merge::Merger;
use crate::split::{Split, for_each_piece};
use crate::vocabulary::Vocabulary;

/// The most workers of one encoding; more threads than that wait for each other.
const MAX_WORKERS: usize = 32;

/// Counts by one vocabulary and one pattern.
pub(crate) struct Counter<S> {
    vocabulary: Vocabulary,
    workers: Box<[Mutex<Option<Worker>>]>,
    pattern: PhantomData<fn() -> S>,
}

/// What a count writes to, so that each thread has its own.
struct Worker {
    cache: Cache,
    merger: Merger,
}

// === impl Counter ===

impl<S: Split> Counter<S> {
    /// A counter by a vocabulary as [`Vocabulary::unpack`] reads it.
    pub(crate) fn new(packed: &[u8]) -> Self {
        let workers = available_parallelism().map_or(1, |threads| threads.get().min(MAX_WORKERS));
        Self {
            vocabulary: Vocabulary::unpack(packed),
            workers: (0..workers).map(|_| Mutex::new(None)).collect(),
            pattern: PhantomData,
        }
    }

    /// This thread's own worker, as long as there are no more threads than workers; else any that is
    /// idle, else the own when it becomes so.
    fn worker(&self) -> MutexGuard<'_, Option<Worker>> {
        let own = thread_number() % self.workers.len();
        let (before, after) = self.workers.split_at(own);
        let idle = after.iter().chain(before).find_map(|worker| match worker.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        idle.unwrap_or_else(|| self.workers[own].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Split> Tokenizer for Counter<S> {
    fn count(&self, text: &str) -> u64 {
        let mut worker = self.worker();
        let worker = worker.get_or_insert_with(Worker::new);
        let mut count = 0;
        for_each_piece::<S>(text, |start, end| {
            count += worker.count(&self.vocabulary, text.as_bytes(), start, end);
        });
        count
    }
}

/// Threads are numbered as they come to count.
fn thread_number() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed));
    }
    NUMBER.get()
}

// === impl Worker ===

impl Worker {
    fn new() -> Self {
        Self { cache: Cache::new(), merger: Merger::default() }
    }

    /// The number of tokens of the piece `text[start..end]`.
    #[inline(always)]
    fn count(&mut self, vocabulary: &Vocabulary, text: &[u8], start: usize, end: usize) -> u64 {
        let Self { cache, merger } = self;
        let piece = &text[start..end];
        match Key::load(text, start, end) {
            Some(key) => {
                let is_token = || vocabulary.is_token(key);
                cache.short(key, is_token, || merger.count(vocabulary, piece))
            }
            None if piece.len() <= Cache::MAX_LEN => {
                cache.long(piece, || merger.count(vocabulary, piece))
            }
            None => merger.count(vocabulary, piece),
        }
    }
}
