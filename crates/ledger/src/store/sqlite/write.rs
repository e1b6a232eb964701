//! Recording entries.

use std::collections::HashMap;
use std::sync::Arc;

use farthing_core::budget::{Balance, BalanceKey, State};
use farthing_core::entry::{Adjustment, Bill, Ending, Entry, Hold, Move, Origin};
use farthing_core::event::Event;
use farthing_core::id::TenantId;
use farthing_core::money::Overflow;
use farthing_core::pricing::{CardHash, RateCard};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::parts::KeptPart;
use super::read::{TALLY_COLUMNS, tally};
use super::value::{Columns, json, money};
use super::{outbox, savings};
use crate::batch::{self, RollupKey, Tally};
use crate::item::{Committed, Item};

const INSERT_ENTRY: &str = concat!(
    "INSERT INTO entry (id, hold_ref, ",
    super::read::entry_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
     ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, \
     ?38, ?39, ?40, ?41, ?42) \
     ON CONFLICT DO NOTHING"
);

/// Records items and what follows from them in one transaction.
pub(super) fn commit(connection: &mut Connection, items: &[Item]) -> rusqlite::Result<Committed> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    insert_rate_cards(&tx, items)?;
    let (mut new, mut entries) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        if record(&tx, item)? {
            new.push(item);
            entries.extend(item.entry());
        }
    }
    fold_into_balances(&tx, &entries)?;
    fold_into_rollups(&tx, &entries)?;
    let events: Vec<(&TenantId, &Event)> = new.iter().flat_map(|item| item.events()).collect();
    let posted = outbox::post(&tx, &events)?;
    tx.commit()?;
    Ok(Committed { new: new.len(), posted })
}

/// Gives whether the item is new.
fn record(tx: &Connection, item: &Item) -> rusqlite::Result<bool> {
    match item {
        Item::Entry(entry, _) => {
            let is_new = insert_entry(tx, entry)?;
            if is_new {
                change_open_holds(tx, entry)?;
            }
            Ok(is_new)
        }
        Item::Events(..) => Ok(true),
        Item::Change(change) => outbox::change(tx, change).map(|()| true),
        Item::Saving(saving) => savings::record(tx, saving),
        Item::Decided(decided) => savings::decide(tx, decided).map(|()| true),
    }
}

fn insert_rate_cards(tx: &Connection, items: &[Item]) -> rusqlite::Result<()> {
    let bills = items.iter().filter_map(|item| item.entry()?.what.bill());
    let prices = bills.flat_map(|bill| bill.prices());
    let cards: HashMap<CardHash, &Arc<RateCard>> =
        prices.map(|priced| (priced.card.hash(), &priced.card)).collect();
    let mut insert =
        tx.prepare_cached("INSERT INTO rate_card VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for (hash, card) in cards {
        insert.execute(params![hash.to_string(), card.to_json()])?;
    }
    Ok(())
}

/// Gives whether the entry is new.
fn insert_entry(tx: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let Entry { id, at, who, what } = entry;
    let details = Details::of(what)?;
    let hold = what.hold();
    let (held, charged) = (money(hold.amount)?, money(what.charged())?);
    let inserted = tx.prepare_cached(INSERT_ENTRY)?.execute(params![
        entry.name(),
        (!matches!(what, Move::Hold(_))).then(|| format!("{id}.hold")),
        what.name(),
        at.as_microsecond(),
        who.tenant.as_str(),
        who.team.as_ref().map(|team| team.as_str()),
        who.user.as_str(),
        who.key.as_ref().map(|key| key.as_str()),
        who.agent.as_ref().map(|agent| agent.as_str()),
        who.thread.as_ref().map(|thread| thread.as_str()),
        who.run.as_ref().map(|run| run.as_str()),
        id.request.to_string(),
        id.attempt,
        hold.asked.provider.as_str(),
        hold.asked.model.as_str(),
        hold.asked.streamed,
        held[0],
        held[1],
        charged[0],
        charged[1],
        what.is_overrun(),
        details.deadline,
        details.held_tokens,
        details.anatomy,
        details.claims,
        details.origin,
        details.reason,
        details.cause,
        details.rebilled,
        details.model_served,
        details.usage,
        details.cost.map(|cost| cost[0]),
        details.cost.map(|cost| cost[1]),
        details.cost_status,
        details.cost_inexact,
        details.cost_assumed_rate,
        details.card_hash,
        details.rule,
        details.served,
        details.listed.map(|listed| listed[0]),
        details.listed.map(|listed| listed[1]),
        details.others,
    ])?;
    Ok(inserted == 1)
}

/// The columns that only some moves fill.
#[derive(Default)]
struct Details<'a> {
    deadline: Option<i64>,
    held_tokens: Option<i64>,
    anatomy: Option<String>,
    claims: Option<String>,
    origin: Option<&'static str>,
    reason: Option<&'a str>,
    cause: Option<&'a str>,
    rebilled: Option<i64>,
    model_served: Option<&'a str>,
    usage: Option<String>,
    cost: Option<[i64; 2]>,
    cost_status: Option<&'static str>,
    cost_inexact: Option<bool>,
    cost_assumed_rate: Option<bool>,
    card_hash: Option<String>,
    rule: Option<&'static str>,
    served: Option<String>,
    listed: Option<[i64; 2]>,
    others: Option<String>,
}

// === impl Details ===

impl Details<'_> {
    fn of_hold(hold: &Hold) -> rusqlite::Result<Details<'_>> {
        Ok(Details {
            deadline: Some(hold.deadline.as_microsecond()),
            held_tokens: Some(count(hold.tokens)),
            anatomy: Some(json(&hold.asked.anatomy)?),
            claims: Some(json(&hold.claims)?),
            ..Details::default()
        })
    }

    fn of_bill(bill: &Bill) -> rusqlite::Result<Details<'_>> {
        let others: Vec<_> = bill.others.iter().map(KeptPart::of).collect();
        Ok(Details {
            origin: Some(bill.origin.name()),
            model_served: Some(bill.model.as_str()),
            usage: Some(json(&bill.usage)?),
            cost: bill.cost.usd.map(money).transpose()?,
            cost_status: Some(bill.cost.status.name()),
            cost_inexact: Some(bill.cost.inexact),
            cost_assumed_rate: Some(bill.cost.assumed_rate),
            card_hash: bill.priced_by.as_ref().map(|priced| priced.card.hash().to_string()),
            rule: bill.priced_by.as_ref().map(|priced| priced.rule.name()),
            served: if bill.served.is_empty() { None } else { Some(json(&bill.served)?) },
            listed: bill.listed.map(money).transpose()?,
            others: if others.is_empty() { None } else { Some(json(&others)?) },
            ..Details::default()
        })
    }

    fn of_adjustment<'a>(
        hold: &'a Hold,
        adjustment: &'a Adjustment,
    ) -> rusqlite::Result<Details<'a>> {
        let bill = match &adjustment.rebilled {
            Some(rebilled) => Details::of_bill(&rebilled.bill)?,
            None => Details::default(),
        };
        let Details { deadline, held_tokens, anatomy, claims, .. } = Details::of_hold(hold)?;
        let rebilled = adjustment.rebilled.as_ref();
        Ok(Details {
            deadline,
            held_tokens,
            anatomy,
            claims,
            reason: Some(&adjustment.reason),
            cause: Some(adjustment.cause.as_str()),
            rebilled: rebilled.map(|rebilled| rebilled.ended_at.as_microsecond()),
            ..bill
        })
    }

    fn of(what: &Move) -> rusqlite::Result<Details<'_>> {
        Ok(match what {
            Move::Hold(hold) => Details::of_hold(hold)?,
            Move::Adjust(hold, adjustment) => Details::of_adjustment(hold, adjustment)?,
            Move::End(_, Ending::Void(reason)) => {
                Details { reason: Some(reason), ..Details::default() }
            }
            Move::End(_, Ending::Expire) => {
                Details { origin: Some(Origin::Estimated.name()), ..Details::default() }
            }
            Move::End(_, Ending::Settle(bill)) => Details::of_bill(bill)?,
        })
    }
}

/// Right after the entry was inserted.
fn change_open_holds(tx: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let Entry { id, who, what, .. } = entry;
    let request = id.request.to_string();
    match what {
        Move::Hold(_) => tx
            .prepare_cached("INSERT INTO hold VALUES (?1, ?2, ?3, ?4, last_insert_rowid())")?
            .execute(params![request, id.attempt, who.tenant.as_str(), who.user.as_str()])?,
        Move::End(..) => tx
            .prepare_cached("DELETE FROM hold WHERE request = ?1 AND attempt = ?2")?
            .execute(params![request, id.attempt])?,
        Move::Adjust(..) => 0,
    };
    Ok(())
}

/// Each balance is read and written once, however many of the entries change it.
fn fold_into_balances(tx: &Connection, new: &[&Entry]) -> rusqlite::Result<()> {
    let mut before = HashMap::new();
    for key in batch::balances(new) {
        if let Some(balance) = read_balance(tx, key)? {
            before.insert(key.clone(), balance);
        }
    }
    let mut state = State::restore(before, HashMap::new());
    new.iter().try_for_each(|entry| state.replay(entry)).map_err(unstorable)?;
    state.balances().try_for_each(|(key, balance)| write_balance(tx, key, balance))
}

fn read_balance(tx: &Connection, key: &BalanceKey) -> rusqlite::Result<Option<Balance>> {
    let mut select = tx.prepare_cached(
        "SELECT held_usd, held_pico, held_tokens, held_requests, spent_usd, spent_pico, \
         spent_tokens, spent_requests FROM balance WHERE tenant = ?1 AND user = ?2 \
         AND scope_kind = ?3 AND scope_id = ?4 AND window = ?5 AND window_start = ?6 \
         AND window_end = ?7",
    )?;
    let BalanceKey { tenant, user, scope, id, window, start, end } = key;
    let key = params![
        tenant.as_str(),
        user.as_ref().map_or("", |user| user.as_str()),
        scope.name(),
        id,
        window.name(),
        start.as_microsecond(),
        end.as_microsecond(),
    ];
    let balance = select.query_row(key, |row| {
        let mut columns = Columns::of(row);
        Ok(Balance { held: columns.amount()?, spent: columns.amount()? })
    });
    balance.optional()
}

fn write_balance(tx: &Connection, key: &BalanceKey, balance: &Balance) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT OR REPLACE INTO balance VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
         ?13, ?14, ?15)",
    )?;
    let BalanceKey { tenant, user, scope, id, window, start, end } = key;
    let (held, spent) = (money(balance.held.usd)?, money(balance.spent.usd)?);
    upsert.execute(params![
        tenant.as_str(),
        user.as_ref().map_or("", |user| user.as_str()),
        scope.name(),
        id,
        window.name(),
        start.as_microsecond(),
        end.as_microsecond(),
        held[0],
        held[1],
        count(balance.held.tokens),
        count(balance.held.requests),
        spent[0],
        spent[1],
        count(balance.spent.tokens),
        count(balance.spent.requests),
    ])?;
    Ok(())
}

fn fold_into_rollups(tx: &Connection, new: &[&Entry]) -> rusqlite::Result<()> {
    for (key, added) in batch::rollups(new).map_err(unstorable)? {
        let before = read_tally(tx, &key)?.unwrap_or_default();
        write_tally(tx, &key, &before.plus(&added).map_err(unstorable)?)?;
    }
    Ok(())
}

fn read_tally(tx: &Connection, key: &RollupKey) -> rusqlite::Result<Option<Tally>> {
    let mut select = tx.prepare_cached(&format!(
        "SELECT {TALLY_COLUMNS} FROM rollup WHERE tenant = ?1 AND hour = ?2 AND user = ?3 \
         AND agent = ?4 AND provider = ?5 AND model = ?6"
    ))?;
    let RollupKey { tenant, hour, user, agent, provider, model } = key;
    let key = params![
        tenant.as_str(),
        hour.as_microsecond(),
        user.as_str(),
        agent.as_ref().map_or("", |agent| agent.as_str()),
        provider.as_str(),
        model.as_str(),
    ];
    select.query_row(key, |row| tally(&mut Columns::of(row))).optional()
}

fn write_tally(tx: &Connection, key: &RollupKey, tally: &Tally) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT OR REPLACE INTO rollup VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
         ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    let (cost, charged) = (money(tally.cost)?, money(tally.charged)?);
    upsert.execute(params![
        key.tenant.as_str(),
        key.hour.as_microsecond(),
        key.user.as_str(),
        key.agent.as_ref().map_or("", |agent| agent.as_str()),
        key.provider.as_str(),
        key.model.as_str(),
        count(tally.requests),
        count(tally.input),
        count(tally.cache_read),
        count(tally.cache_write),
        count(tally.output),
        count(tally.reasoning),
        cost[0],
        cost[1],
        tally.unknown_cost,
        count(tally.estimated),
        charged[0],
        charged[1],
    ])?;
    Ok(())
}

/// A count as an integer; those of tallies and balances stay below the highest that fits.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unstorable(overflow: Overflow) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(overflow))
}
