//! On what terms a call is made: as it was asked, or with a shorter answer or a cheaper model where a
//! budget has no room for more.

use farthing_core::budget::{Policy, clamp, shortest_answer};
use farthing_core::context::Context;
use farthing_core::id::ModelId;
use farthing_ledger::Held;
use farthing_upstream::Deployment;

use crate::attempts::Attempt;
use crate::call::{Ask, Purpose};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::flow::{asked, hold, price};

/// A room may be gone by the time it is claimed; then the next one is looked for, so often.
const TRIES: usize = 3;

/// What a call is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The model that is called.
    pub model: ModelId,
    /// The limit on the tokens of each answer, where it is ours.
    pub limit: Option<u64>,
}

/// What of a call is not as its client asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The limit on the tokens of its answer.
    pub limit: Option<u64>,
    /// The model that was called instead.
    pub model: Option<ModelId>,
}

// === impl Terms ===

impl Terms {
    /// As it was asked.
    pub(crate) fn asked(ask: &Ask) -> Terms {
        Terms { model: ask.request.model.clone(), limit: None }
    }

    /// What is to be told of terms that are not the client's.
    pub(crate) fn changed(&self, ask: &Ask) -> Option<Changed> {
        let model = (self.model != ask.request.model).then(|| self.model.clone());
        let is_changed = model.is_some() || self.limit.is_some();
        is_changed.then_some(Changed { limit: self.limit, model })
    }
}

/// Holds the most that the call can cost, on the terms on which there is room for it.
pub(crate) async fn agree(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    attempt: &Attempt<'_>,
) -> Result<(Terms, Held), Failure> {
    let mut terms = capped(engine, ctx, ask, attempt.deployment)?;
    let mut cheaper = engine.parts.budgets.cheaper(&ask.request.model).iter();
    for _ in 0..TRIES {
        let amount = price(engine, ctx, ask, attempt.deployment, &terms)?;
        let refusal = match hold(engine, ctx, ask, attempt, &terms, amount).await {
            Ok(held) => return Ok((terms, held)),
            Err(Failure::Refused(refusal)) => refusal,
            Err(other) => return Err(other),
        };
        let other = match refusal.policy {
            _ if ask.purpose == Purpose::CountTokens => None,
            Policy::Refuse => None,
            Policy::Clamp => shorter(engine, ctx, ask, attempt.deployment, &terms)?,
            Policy::Downgrade => {
                cheaper.next().map(|model| Terms { model: model.clone(), ..terms.clone() })
            }
        };
        terms = other.ok_or(Failure::Refused(refusal))?;
    }
    let amount = price(engine, ctx, ask, attempt.deployment, &terms)?;
    Ok((terms.clone(), hold(engine, ctx, ask, attempt, &terms, amount).await?))
}

/// The terms as asked; where a budget may shorten answers and the request sets no limit, with the
/// configured one.
fn capped(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    deployment: &Deployment,
) -> Result<Terms, Failure> {
    let terms = Terms::asked(ask);
    if ask.request.max_output.is_some() || ask.purpose == Purpose::CountTokens {
        return Ok(terms);
    }
    let claims = engine.claims(ctx.who(), &terms.model, ctx.created_at());
    let may_shorten = claims.iter().any(|claim| claim.policy == Policy::Clamp);
    let cap = engine.parts.limits.clamped_answer_tokens;
    let longest = engine.parts.tariff.longest_answer(&asked(ctx, ask, deployment, &terms));
    let limit = longest.map_or(cap, |longest| longest.min(cap));
    Ok(Terms { limit: may_shorten.then_some(limit), ..terms })
}

/// The same with the longest answer that there is room for; `None` where it would be of no use.
fn shorter(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    deployment: &Deployment,
    terms: &Terms,
) -> Result<Option<Terms>, Failure> {
    let claims = engine.claims(ctx.who(), &terms.model, ctx.created_at());
    let room = engine.parts.ledger.room_in_all(&claims);
    let longest = terms.limit.or(ask.request.max_output);
    let longest =
        longest.or_else(|| engine.parts.tariff.longest_answer(&asked(ctx, ask, deployment, terms)));
    let longest = longest.unwrap_or(engine.parts.limits.assumed_answer_tokens);
    let shortest = shortest_answer(ask.request.prompt.demands.thinking_tokens);
    let with = |tokens: u64| Terms { limit: Some(tokens), ..terms.clone() };
    let fits = |tokens: u64| {
        let amount = price(engine, ctx, ask, deployment, &with(tokens))?;
        Ok::<_, Failure>(room.fits(&amount))
    };
    Ok(clamp(shortest, longest, fits)?.filter(|tokens| *tokens < longest).map(with))
}
