//! What `statusline` remembers from call to call: how far transcripts were read, and rate cards, so
//! that the catalog is read only when a new model or a new day comes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use farthing_analyze::log::Billed;
use farthing_analyze::tail::Tail;
use farthing_core::Usd;
use farthing_core::pricing::{Catalog, RateCard, Served};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Changes with the shape or the meaning of the file, and with prices: each version has its own.
const VERSION: &str = concat!("1 ", env!("CARGO_PKG_VERSION"));

/// Transcripts that are remembered.
const TAILS_MAX: usize = 500;
/// Rate cards that are remembered; they are looked up again where these were too many.
const CARDS_MAX: usize = 64;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    version: String,
    tails: BTreeMap<PathBuf, Kept>,
    /// By provider, model, day and how it was served; `None` where no price is known.
    cards: BTreeMap<String, Option<Card>>,
    #[serde(skip)]
    changed: bool,
    /// Cards as values, so that each is read once.
    #[serde(skip)]
    read: BTreeMap<String, Option<RateCard>>,
}

/// A transcript, and when it was last read.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    at: Timestamp,
    tail: Tail,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Card {
    json: String,
    context: Option<u64>,
}

// === impl State ===

impl State {
    /// In the cache folder of the user's home.
    pub(super) fn default_path() -> Option<PathBuf> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")))?;
        Some(cache.join("farthing").join("statusline.json"))
    }

    /// What was remembered; nothing where that cannot be read.
    pub(super) fn load(path: &Path) -> State {
        let read = fs::read(path).ok();
        let state = read.and_then(|bytes| serde_json::from_slice::<State>(&bytes).ok());
        let state = state.filter(|state| state.version == VERSION);
        state.unwrap_or_else(|| State { version: VERSION.to_owned(), ..State::default() })
    }

    /// Remembers, in one step: two calls at once leave the state of one of them.
    pub(super) fn save(&mut self, path: &Path, now: Timestamp) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        if let Some(excess) = self.tails.len().checked_sub(TAILS_MAX) {
            let mut times: Vec<_> = self.tails.values().map(|kept| kept.at).collect();
            times.sort();
            let oldest = times.get(excess).copied().unwrap_or(now);
            self.tails.retain(|_, kept| kept.at >= oldest);
        }
        if self.cards.len() > CARDS_MAX {
            self.cards.clear();
        }
        self.version = VERSION.to_owned();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let part = path.with_extension(format!("{}.part", now.as_nanosecond()));
        fs::write(&part, serde_json::to_vec(self)?)?;
        fs::rename(&part, path)
    }

    pub(super) fn tail(&self, path: &Path) -> Option<&Tail> {
        self.tails.get(path).map(|kept| &kept.tail)
    }

    pub(super) fn tails(&self) -> impl Iterator<Item = &Tail> {
        self.tails.values().map(|kept| &kept.tail)
    }

    pub(super) fn keep(&mut self, path: &Path, tail: Tail, at: Timestamp) {
        self.changed = true;
        self.tails.insert(path.to_owned(), Kept { at, tail });
    }

    /// What a request costs; `None` where no price is known.
    pub(super) fn price(
        &mut self,
        provider: &str,
        model: &str,
        at: Option<Timestamp>,
        billed: &Billed,
    ) -> Option<Usd> {
        let own = self.card(provider, model, at, &billed.served)?.cost(&billed.usage).ok()?.usd?;
        billed.others.iter().try_fold(own, |sum, other| {
            let card = self.card(provider, &other.model, at, &billed.served)?;
            sum.plus(card.cost(&other.usage).ok()?.usd?).ok()
        })
    }

    /// How long a prompt of this model may be.
    pub(super) fn context(&self, model: &str) -> Option<u64> {
        let known = self.cards.iter().rev();
        let of_model = |key: &&String| key.split(' ').nth(1) == Some(model);
        known.filter(|(key, _)| of_model(key)).find_map(|(_, card)| card.as_ref()?.context)
    }

    fn card(
        &mut self,
        provider: &str,
        model: &str,
        at: Option<Timestamp>,
        served: &Served,
    ) -> Option<&RateCard> {
        let day = at.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        let served_as = if served.is_empty() { String::new() } else { format!(" {served:?}") };
        let key = format!("{provider} {model} {day}{served_as}");
        if !self.read.contains_key(&key) {
            let known = self.cards.get(&key).cloned();
            let card = known.unwrap_or_else(|| {
                let at = at.unwrap_or(Timestamp::MAX);
                let found = Catalog::embedded().ok()?.resolve(provider, model, at, served).ok()?;
                Some(Card { json: found.card.to_json(), context: found.model.context })
            });
            let read = card.as_ref().and_then(|card| RateCard::from_json(&card.json));
            self.cards.insert(key.clone(), card);
            self.read.insert(key.clone(), read);
        }
        self.read.get(&key)?.as_ref()
    }
}
