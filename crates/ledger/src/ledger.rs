//! Admission, health, closing.

mod queries;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use farthing_core::Usd;
use farthing_core::budget::{
    Balance, BalanceKey, Claim, Command, Decision, Rejection, Room, State,
};
use farthing_core::clock::Clock;
use farthing_core::entry::{Adjustment, AttemptId, Ending, Entry, Hold, Who};
use farthing_core::event::Event;
use farthing_core::id::TenantId;
use farthing_core::money::{Overflow, PICO_PER_USD};
use jiff::Timestamp;
use tokio::sync::mpsc::OwnedPermit;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::batch::BATCH_MAX;
use crate::error::{AdjustError, HoldError, LedgerError, Unavailable};
use crate::held::Held;
use crate::item::{Change, Document, DocumentId, Item};
use crate::outbox::Outbox;
use crate::readers::Readers;
use crate::saving::{Decided, Saving};
use crate::store::{Loaded, Store};
use crate::writer::{Progress, Writer};

/// No call costs a billion dollars: an amount above is an error in a rate or a count. Below it, nine
/// billion calls add up to no more than the engines store.
const PLAUSIBLE_MAX: Usd = Usd::from_pico(PICO_PER_USD * PLAUSIBLE_DOLLARS_MAX);
const PLAUSIBLE_DOLLARS_MAX: i128 = 1_000_000_000;

/// A hold needs a place for itself and one for its ending.
const PLACES_MIN: usize = 2;

/// Admits calls, and records them.
///
/// Cheap to clone; all clones are one ledger. Its writer ends, after recording what was decided,
/// when the last clone and the last [`Held`] are dropped.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    epoch: String,
    clock: Clock,
    books: Arc<Mutex<Books>>,
    queue: mpsc::Sender<Item>,
    /// Held while places are reserved.
    turnstile: tokio::sync::Mutex<()>,
    progress: watch::Receiver<Progress>,
    outbox: Outbox,
    documents: tokio::sync::Mutex<BTreeMap<DocumentId, String>>,
    /// To wake it up.
    writer: Thread,
    readers: Readers,
}

/// What is decided, under one lock with the sending end of the queue: so entries are queued in the
/// order in which they changed the state.
#[derive(Debug)]
pub(crate) struct Books {
    pub state: State,
    /// How many items were decided and queued.
    decided: u64,
    /// No more calls are admitted, and a failing store is given up after a while.
    pub closed: bool,
}

/// How a ledger works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Places in the queue to the writer, at least 2. A hold waits until it has two of them; one it
    /// keeps while it is open, so that its ending never waits. So this also bounds the calls that
    /// are open at once. The default of 16,384 is about a second of commits and two megabytes.
    pub places: usize,
    /// How long the writer waits before it tries a failing store again. Default 200 milliseconds.
    pub retry_every: Duration,
    /// How often the writer tries again after the ledger was closed, before it gives up what it
    /// has and says so in the log. Default 25, which are five seconds.
    pub tries_at_close: u32,
}

// === impl Ledger ===

impl Ledger {
    /// Opens a ledger as its only writer. Holds that an earlier process left open are expired: nobody
    /// knows how those calls ended, so all that was held is charged, as an estimate.
    ///
    /// It trusts the balances that the store kept; [`Ledger::verify`] compares them with the
    /// entries. It blocks while it reads: call it at start-up.
    ///
    /// # Errors
    /// [`LedgerError`] where the store cannot be read or written.
    pub fn open(
        mut store: impl Store + 'static,
        clock: Clock,
        options: Options,
    ) -> Result<Ledger, LedgerError> {
        let mut loaded = store.load(clock.now())?;
        let mut state = std::mem::take(&mut loaded.state);
        expire_open_holds(&mut store, &mut state, now(&clock))?;
        let readers = Readers::open(&store)?;
        let books = Arc::new(Mutex::new(Books { state, decided: 0, closed: false }));
        let places = options.places.clamp(PLACES_MIN, Semaphore::MAX_PERMITS);
        let (queue, queued) = mpsc::channel(places);
        let outbox = Outbox::new();
        let (report, progress) = watch::channel(Progress::default());
        let writer = Writer {
            store,
            queue: queued,
            books: Arc::clone(&books),
            progress: report,
            outbox: outbox.clone(),
            prune_at: clock.now(),
            clock: clock.clone(),
            options,
        };
        let writer = writer.start()?;
        let turnstile = tokio::sync::Mutex::new(());
        let Loaded { epoch, documents, .. } = loaded;
        let documents = documents.into_iter().map(|document| (document.id, document.json));
        let documents = tokio::sync::Mutex::new(documents.collect());
        let inner = Inner {
            epoch,
            clock,
            books,
            queue,
            turnstile,
            progress,
            outbox,
            documents,
            writer,
            readers,
        };
        Ok(Ledger(Arc::new(inner)))
    }

    /// Sets money aside for an attempt, whose number must be new. It returns as soon as that is
    /// decided, in memory; the hold is durable after [`Held::committed`]. It waits only where the
    /// queue to the writer is full: money waits. Cancelling it leaves nothing held. The events are
    /// recorded with it.
    ///
    /// # Errors
    /// [`HoldError`]; nothing is held then.
    pub async fn hold(
        &self,
        id: AttemptId,
        who: Arc<Who>,
        hold: Arc<Hold>,
        events: Vec<Event>,
    ) -> Result<Held, HoldError> {
        if !is_plausible(hold.amount) {
            return Err(HoldError::Overflow(Overflow));
        }
        let [its_own, for_its_end] = self.places().await?;
        let (entry, warnings, number) = {
            let mut books = self.books();
            if books.closed {
                return Err(HoldError::Closed);
            }
            self.health()?;
            let command = Command::Hold { id, who, hold };
            let Decision { entry, warnings } = books.state.apply(command, now(&self.0.clock))?;
            (entry.clone(), warnings, books.queue(Item::Entry(entry, events), its_own))
        };
        Ok(Held::new(self.clone(), entry, warnings, number, for_its_end))
    }

    /// What is held and spent on a balance, whose window has not ended.
    pub fn balance(&self, key: &BalanceKey) -> Balance {
        self.books().state.balance(key)
    }

    /// The least that any of the claimed hard budgets in dollars has left; `None` without one.
    pub fn room(&self, claims: &[Claim]) -> Option<Usd> {
        self.books().state.room(claims).usd
    }

    /// The least that the claimed hard budgets have left, in each unit.
    pub fn room_in_all(&self, claims: &[Claim]) -> Room {
        self.books().state.room(claims)
    }

    /// Names the store: a new one has another epoch.
    pub fn epoch(&self) -> &str {
        &self.0.epoch
    }

    /// Whether the ledger can be written. While it cannot, calls are not admitted.
    ///
    /// # Errors
    /// [`Unavailable`], with since when and why.
    pub fn health(&self) -> Result<(), Unavailable> {
        self.0.progress.borrow().failing.clone().map_or(Ok(()), Err)
    }

    /// Waits until all that was decided before is durable.
    ///
    /// # Errors
    /// [`Unavailable`] where it never will be: the ledger was closed while its store was failing.
    pub async fn flush(&self) -> Result<(), Unavailable> {
        let decided = self.books().decided;
        self.committed(decided).await
    }

    /// Admits no more calls, and waits until all that was decided before is durable. Calls that are
    /// still open may end later; those that never do are expired when the ledger is opened again.
    ///
    /// # Errors
    /// [`Unavailable`] where the store went on failing: the log says what is lost.
    pub async fn close(&self) -> Result<(), Unavailable> {
        self.0.close();
        self.flush().await
    }

    /// Records events that tell of no move of money, once there is room in the queue.
    ///
    /// # Errors
    /// [`Unavailable`] where the ledger is closed.
    pub async fn post(&self, tenant: TenantId, events: Vec<Event>) -> Result<(), Unavailable> {
        if !events.is_empty() {
            self.record(Item::Events(tenant, events)).await?;
        }
        Ok(())
    }

    /// Records what optimizing a call came to, once there is room in the queue.
    ///
    /// # Errors
    /// [`Unavailable`] where the ledger is closed.
    pub async fn save(&self, saving: Saving) -> Result<(), Unavailable> {
        self.record(Item::Saving(Arc::new(saving))).await.map(drop)
    }

    /// Records what was decided for a conversation. Where it is `durable`, it is on return.
    ///
    /// # Errors
    /// [`Unavailable`] where it cannot be recorded.
    pub async fn decide(&self, decided: Decided, durable: bool) -> Result<(), Unavailable> {
        let number = self.record(Item::Decided(decided)).await?;
        if durable { self.committed(number).await } else { Ok(()) }
    }

    /// Changes a document, durably, and writes down who did. `change` is given what the document says,
    /// and gives what it shall say; `None` is for a document that is not there. Gives both.
    ///
    /// # Errors
    /// [`Unavailable`] where it cannot be recorded, or what `change` gives.
    pub async fn change<E: From<Unavailable>>(
        &self,
        document: DocumentId,
        actor: String,
        change: impl FnOnce(Option<&str>) -> Result<Option<String>, E>,
    ) -> Result<Arc<Change>, E> {
        // One at a time: what is changed must still be there when the change is recorded.
        let mut documents = self.0.documents.lock().await;
        let before = documents.get(&document).cloned();
        let after = change(before.as_deref())?;
        let at = now(&self.0.clock);
        let change = Arc::new(Change { at, actor, document: document.clone(), before, after });
        let number = self.record(Item::Change(Arc::clone(&change))).await?;
        self.committed(number).await?;
        match change.after.clone() {
            Some(json) => documents.insert(document, json),
            None => documents.remove(&document),
        };
        Ok(change)
    }

    /// Everything of a kind that administrators keep, whosever it is, at a time when nobody changes
    /// any: for parts of this very program, at its start.
    pub fn documents_at_open(&self, kind: &str) -> Vec<Document> {
        let Ok(documents) = self.0.documents.try_lock() else { return Vec::new() };
        let of_kind = documents.iter().filter(|(id, _)| id.kind == kind);
        of_kind.map(|(id, json)| Document { id: id.clone(), json: json.clone() }).collect()
    }

    /// Live events, as they become durable.
    pub fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    async fn record(&self, item: Item) -> Result<u64, Unavailable> {
        let closed = || Unavailable { since: now(&self.0.clock), error: "it is closed".into() };
        let place = self.0.queue.clone().reserve_owned().await.map_err(|_| closed())?;
        let mut books = self.books();
        if books.closed {
            return Err(closed());
        }
        Ok(books.queue(item, place))
    }

    /// Ends an attempt; never waits.
    pub(crate) fn end(
        &self,
        id: AttemptId,
        ending: Ending,
        events: Vec<Event>,
        place: OwnedPermit<Item>,
    ) -> Result<Entry, Rejection> {
        let mut books = self.books();
        let Decision { entry, .. } =
            books.state.apply(Command::End(id, ending), now(&self.0.clock))?;
        books.queue(Item::Entry(entry.clone(), events), place);
        Ok(entry)
    }

    /// Corrects what an ended attempt was charged. It is durable after [`Ledger::flush`].
    ///
    /// # Errors
    /// [`AdjustError`]; nothing is changed then.
    pub async fn adjust(
        &self,
        id: AttemptId,
        who: Arc<Who>,
        hold: Arc<Hold>,
        adjustment: Adjustment,
    ) -> Result<(), AdjustError> {
        let closed = || Unavailable { since: now(&self.0.clock), error: "it is closed".into() };
        let place = self.0.queue.clone().reserve_owned().await.map_err(|_| closed())?;
        let mut books = self.books();
        if books.closed {
            return Err(closed().into());
        }
        let command = Command::Adjust { id, who, hold, adjustment };
        let Decision { entry, .. } = books.state.apply(command, now(&self.0.clock))?;
        books.queue(Item::Entry(entry, Vec::new()), place);
        Ok(())
    }

    /// Waits until so many items are durable.
    pub(crate) async fn committed(&self, items: u64) -> Result<(), Unavailable> {
        let mut progress = self.0.progress.clone();
        if progress.wait_for(|progress| progress.committed >= items).await.is_ok() {
            return Ok(());
        }
        self.health()?;
        // A writer that ended although its store was well has panicked.
        Err(Unavailable { since: now(&self.0.clock), error: "its writer has ended".into() })
    }

    /// Reserves a place for a hold and one for its end.
    async fn places(&self) -> Result<[OwnedPermit<Item>; 2], HoldError> {
        let reserve = async {
            // One after the other, or all places could go to holds that wait for their second.
            let _turn = self.0.turnstile.lock().await;
            let first = self.0.queue.clone().reserve_owned().await?;
            let second = self.0.queue.clone().reserve_owned().await?;
            Ok::<_, SendError<()>>([first, second])
        };
        let mut progress = self.0.progress.clone();
        let failing = async {
            let failing = progress.wait_for(|progress| progress.failing.is_some()).await;
            failing.ok().and_then(|progress| progress.failing.clone())
        };
        tokio::select! {
            biased;
            failing = failing => Err(failing.map_or(HoldError::Closed, HoldError::Unavailable)),
            places = reserve => places.map_err(|_| HoldError::Closed),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.0.books)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledger").field(&self.0.epoch).finish()
    }
}

// === impl Inner ===

impl Inner {
    fn close(&self) {
        lock(&self.books).closed = true;
        self.writer.unpark();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Ends what an earlier process left open, as any attempt ends whose outcome nobody knows.
fn expire_open_holds(
    store: &mut impl Store,
    state: &mut State,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let mut open: Vec<AttemptId> = state.open().map(|(id, _)| id).collect();
    open.sort_unstable();
    let expire = |id: AttemptId| {
        state.apply(Command::End(id, Ending::Expire), at).map(|decision| decision.entry)
    };
    let entries: Vec<Entry> = open.into_iter().map(expire).collect::<Result<_, Rejection>>()?;
    let calls = entries.len();
    let items: Vec<Item> =
        entries.into_iter().map(|entry| Item::Entry(entry, Vec::new())).collect();
    for batch in items.chunks(BATCH_MAX) {
        store.commit(batch)?;
    }
    if calls > 0 {
        tracing::warn!(calls, "calls were open when the ledger was last left; they are charged");
    }
    Ok(())
}

/// Whether an amount can be that of a call.
pub(crate) fn is_plausible(amount: Usd) -> bool {
    (Usd::ZERO..=PLAUSIBLE_MAX).contains(&amount)
}

/// The time to the microsecond, as stores keep it.
fn now(clock: &Clock) -> Timestamp {
    let now = clock.now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// No panic leaves the books half changed: the state changes as a whole or not at all.
pub(crate) fn lock(books: &Mutex<Books>) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Books ===

impl Books {
    /// Queues what was just decided; gives how many items were by now.
    fn queue(&mut self, item: Item, place: OwnedPermit<Item>) -> u64 {
        place.send(item);
        self.decided = self.decided.saturating_add(1);
        self.decided
    }
}

// === impl Options ===

impl Default for Options {
    fn default() -> Options {
        Options { places: 16_384, retry_every: Duration::from_millis(200), tries_at_close: 25 }
    }
}
