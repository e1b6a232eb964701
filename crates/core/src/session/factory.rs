//! Finds or makes sessions, and ends them.

use jiff::{SignedDuration, Timestamp};

use super::summary::{Ended, Summary};
use super::{Session, SessionId};
use crate::entry::Who;
use crate::id::{RunId, ThreadId};
use crate::registry::{Health, Limits, Owner, Registry, Removed};
use crate::scope::Scope;

/// Within a user: a thread and a run, as far as they are named.
type Place = (Option<ThreadId>, Option<RunId>);

/// The live sessions of all users. What it forgets it hands back as a [`Summary`], to be recorded.
#[derive(Debug)]
pub struct SessionFactory {
    sessions: Registry<Place, Session>,
}

/// How many sessions there may be, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Sessions of one user. One more ends the user's that was idle longest.
    pub per_user: usize,
    /// Sessions of all users together. One more ends the one that would end first.
    pub all: usize,
    /// How long a session may be idle.
    pub idle: SignedDuration,
    /// How long a session may last.
    pub age: SignedDuration,
}

/// A session that was found or made.
#[derive(Debug)]
pub struct Opened<'a> {
    /// The session.
    pub session: &'a mut Session,
    /// Whether it begins now.
    pub is_new: bool,
    /// What ended for it.
    pub ended: Vec<Summary>,
}

// === impl SessionFactory ===

impl SessionFactory {
    /// A factory without sessions.
    pub fn new(limits: SessionLimits) -> SessionFactory {
        let SessionLimits { per_user, all, idle, age } = limits;
        let limits = Limits { capacity: all, per_owner: per_user, idle, age };
        SessionFactory { sessions: Registry::new(limits) }
    }

    /// The caller's session: the same for the same tenant, user, thread and run, until it ends.
    /// `None` where it would be a new one and the factory is [closing](SessionFactory::close).
    pub fn open(&mut self, who: &Who, at: Timestamp) -> Option<Opened<'_>> {
        let place = (who.thread.clone(), who.run.clone());
        let make = || Ok::<_, std::convert::Infallible>(Session::new(who, at));
        let made = self.sessions.obtain(&owner(who), &place, at, make).ok()?;
        let ended = made.removed.iter().map(|removed| summary(removed, at)).collect();
        Some(Opened { session: made.value, is_new: made.is_new, ended })
    }

    /// The sessions in scope that go on, the oldest first.
    pub fn list(&self, scope: &Scope, at: Timestamp) -> Vec<Summary> {
        let mut sessions = self.in_scope(scope, at);
        sessions.sort_by_key(|session| (session.started_at, session.id));
        sessions.iter().map(|session| Summary::of(session, None, at)).collect()
    }

    /// One session; `None` where it is not in scope, whether or not it exists.
    pub fn get(&self, scope: &Scope, id: SessionId, at: Timestamp) -> Option<Summary> {
        self.find(scope, id, at).map(|session| Summary::of(session, None, at))
    }

    /// Ends one session; `None` where it is not in scope, whether or not it exists.
    pub fn finalize(&mut self, scope: &Scope, id: SessionId, at: Timestamp) -> Option<Summary> {
        let session = self.find(scope, id, at)?;
        let owner = Owner { tenant: session.tenant.clone(), user: session.user.clone() };
        let place = (session.thread.clone(), session.run.clone());
        self.sessions.remove(&owner, &place).map(|removed| summary(&removed, at))
    }

    /// Ends the sessions whose time is up, at most `most` of them.
    pub fn sweep(&mut self, at: Timestamp, most: usize) -> Vec<Summary> {
        self.sessions.sweep(at, most).iter().map(|removed| summary(removed, at)).collect()
    }

    /// Begins no more sessions.
    pub fn close(&mut self) {
        self.sessions.freeze();
    }

    /// How it stands.
    pub fn health(&self) -> Health {
        self.sessions.health()
    }

    fn find(&self, scope: &Scope, id: SessionId, at: Timestamp) -> Option<&Session> {
        self.in_scope(scope, at).into_iter().find(|session| session.id == id)
    }

    fn in_scope(&self, scope: &Scope, at: Timestamp) -> Vec<&Session> {
        let tenant = scope.tenant();
        match scope.only_user() {
            Some(user) => {
                let owner = Owner { tenant: tenant.clone(), user: user.clone() };
                self.sessions.of_owner(&owner, at).map(|(_, session)| session).collect()
            }
            None => self.sessions.of_tenant(tenant, at).map(|(.., session)| session).collect(),
        }
    }
}

// === impl SessionLimits ===

impl Default for SessionLimits {
    /// Ten sessions a user, a hundred thousand in all, each for a day at the most.
    fn default() -> SessionLimits {
        let day = SignedDuration::from_hours(24);
        SessionLimits { per_user: 10, all: 100_000, idle: day, age: day }
    }
}

fn owner(who: &Who) -> Owner {
    Owner { tenant: who.tenant.clone(), user: who.user.clone() }
}

fn summary(removed: &Removed<Place, Session>, at: Timestamp) -> Summary {
    Summary::of(&removed.value, Some(Ended::from(removed.why)), at)
}
