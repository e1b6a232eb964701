//! `farthing keys`: made, listed, rotated and revoked on a ledger that no gateway has open.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets};
use farthing_core::id::{KeyId, Pattern, PlanId, TeamId, TenantId, UserId};
use farthing_core::identity::{AllowList, Grant, Holder, Key, Permission, Role};
use farthing_engine::access::Access;
use farthing_ledger::vault::Secret;
use farthing_ledger::{Ledger, SqliteStore, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::config::Sources;
use crate::house;
use crate::print::Output;

/// Who changes keys here, as the audit log names them.
const ACTOR: &str = "command line";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    sources: Sources,
    /// The tenant whose keys they are.
    #[arg(long, default_value = "default", global = true)]
    tenant: String,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a key. Its secret is shown once.
    Create(Create),
    /// List the keys.
    List,
    /// Give a key another secret.
    Rotate {
        /// The key.
        id: String,
        /// For how long the secret before is accepted, in hours.
        #[arg(long, default_value_t = 24)]
        overlap_hours: u32,
    },
    /// Accept a key no more.
    Revoke {
        /// The key.
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// Its public name; without, one is made up.
    #[arg(long)]
    id: Option<String>,
    /// The only user that it acts for.
    #[arg(long)]
    user: Option<String>,
    /// Act for whichever user a request names.
    #[arg(long)]
    service: bool,
    /// See and manage all of the tenant.
    #[arg(long)]
    admin: bool,
    /// The team that it belongs to.
    #[arg(long)]
    team: Option<String>,
    /// The plan whose limits hold for it.
    #[arg(long)]
    plan: Option<String>,
    /// The models that it may call, as gpt-4*.
    #[arg(long, value_delimiter = ',')]
    models: Option<Vec<String>>,
    /// The providers that it may call.
    #[arg(long, value_delimiter = ',')]
    providers: Option<Vec<String>>,
    /// Until when, as 2027-01-01T00:00:00Z.
    #[arg(long)]
    expires: Option<Timestamp>,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let config = args.sources.load()?;
    let store = SqliteStore::open(&config.store.path).map_err(|error| match error {
        StoreError::InUse { .. } => anyhow::anyhow!(
            "a gateway has the ledger open; ask it instead, as an administrator: \
             POST /api/v1/keys (docs/api.md)"
        ),
        other => other.into(),
    })?;
    let secret = config.store.secret()?;
    let ledger = Ledger::open(store, house::clock(), farthing_ledger::Options::default())?;
    let access = Access::new(ledger.clone(), house::pepper(&secret), None);
    let tenant = TenantId::new(&args.tenant)?;
    let done = act(&args.action, &access, &tenant).await;
    ledger.close().await?;
    show(&done?, args.json).context("the keys cannot be printed")?;
    Ok(ExitCode::SUCCESS)
}

/// Keys to show, and a secret that was made.
struct Done {
    keys: Vec<Arc<Key>>,
    secret: Option<String>,
}

async fn act(action: &Action, access: &Access, tenant: &TenantId) -> Result<Done> {
    let now = house::clock().now();
    let random = Secret::random()?.derive("farthing key 2026");
    let (key, secret) = match action {
        Action::List => return Ok(Done { keys: access.list(tenant), secret: None }),
        Action::Revoke { id } => {
            let key = access.revoke(ACTOR, tenant, &KeyId::new(id)?, now).await?;
            return Ok(Done { keys: vec![key], secret: None });
        }
        Action::Rotate { id, overlap_hours } => {
            let overlap = SignedDuration::from_hours(i64::from(*overlap_hours));
            access.rotate(ACTOR, tenant, &KeyId::new(id)?, overlap, random, now).await?
        }
        Action::Create(wish) => {
            let id = match &wish.id {
                Some(id) => KeyId::new(id)?,
                None => KeyId::of(house::request_id()),
            };
            access.create(ACTOR, id, wish.grant(tenant)?, wish.expires, random, now).await?
        }
    };
    Ok(Done { keys: vec![key], secret: Some(secret.reveal()) })
}

fn show(done: &Done, as_json: bool) -> io::Result<()> {
    let mut out = Output::stdout();
    if as_json {
        let key = |key: &Arc<Key>| {
            json!({
                "id": key.id, "grant": key.grant, "created_at": key.created_at,
                "expires_at": key.expires_at, "revoked_at": key.revoked_at,
            })
        };
        let keys: Vec<_> = done.keys.iter().map(key).collect();
        return out.json(&json!({ "keys": keys, "secret": done.secret }));
    }
    if let Some(secret) = &done.secret {
        writeln!(out, "{secret}")?;
        writeln!(out, "\nThis is the only time that it is shown.")?;
    }
    if done.keys.is_empty() {
        return writeln!(out, "There are no keys: whoever reaches the gateway may call.");
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["key", "acts for", "role", "state"]);
    for key in &done.keys {
        let holder = match &key.grant.holder {
            Holder::User(user) => user.to_string(),
            Holder::Service(user) => format!("any user, else {user}"),
        };
        let role = if key.grant.role == Role::Admin { "admin" } else { "user" };
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {at:.0}"),
            (None, Some(at)) => format!("until {at:.0}"),
            (None, None) => "accepted".to_owned(),
        };
        table.add_row([key.id.to_string(), holder, role.to_owned(), state]);
    }
    writeln!(out, "\n{table}")
}

// === impl Create ===

impl Create {
    fn grant(&self, tenant: &TenantId) -> Result<Grant> {
        let user = match (&self.user, self.service || self.admin) {
            (Some(user), _) => UserId::new(user)?,
            (None, true) => UserId::new("default")?,
            (None, false) => bail!("name the user it acts for with --user, or make it --service"),
        };
        let mut permissions = BTreeSet::from([Permission::Call, Permission::Read]);
        permissions.extend(self.admin.then_some(Permission::Manage));
        let list = |names: &Option<Vec<String>>| -> Result<AllowList> {
            let Some(names) = names else { return Ok(AllowList::default()) };
            let patterns: Result<Vec<Pattern>, _> = names.iter().map(|name| name.parse()).collect();
            Ok(AllowList::only(patterns?))
        };
        Ok(Grant {
            tenant: tenant.clone(),
            team: self.team.as_deref().map(TeamId::new).transpose()?,
            holder: if self.service { Holder::Service(user) } else { Holder::User(user) },
            role: if self.admin { Role::Admin } else { Role::User },
            permissions,
            plan: self.plan.as_deref().map(PlanId::new).transpose()?,
            models: list(&self.models)?,
            providers: list(&self.providers)?,
        })
    }
}
