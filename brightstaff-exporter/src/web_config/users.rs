//! Users and their passwords.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::WebConfigError;

/// How many passwords may wait for their check. One costs tens of milliseconds of a processor, so that strangers could
/// keep all of them busy with any.
const MAX_CHECKS: usize = 16;

/// Users, and the bcrypt hashes of their passwords.
pub(super) struct Users {
    users: Vec<User>,
    key: hmac::Key,
    /// Whose hash a name is checked against that nobody has.
    stand_ins: RandomState,
    waiting: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

struct User {
    name: String,
    hash: Arc<str>,
    /// What tells the password that was right again, without a check.
    verified: Mutex<Option<hmac::Tag>>,
}

/// Whether a password was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    Right,
    Wrong,
    /// Too many wait for theirs.
    Busy,
}

impl Users {
    pub(super) fn new(hashes: Vec<(String, String)>) -> Result<Self, WebConfigError> {
        let users = hashes.into_iter().map(|(name, hash)| User {
            name,
            hash: hash.into(),
            verified: Mutex::new(None),
        });
        Ok(Self {
            users: users.collect(),
            key: random_key()?,
            stand_ins: RandomState::new(),
            waiting: Arc::new(Semaphore::new(MAX_CHECKS)),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether this is the password of the user of this name.
    pub(super) async fn check(&self, name: &str, password: &[u8]) -> Checked {
        let known = self.users.iter().find(|user| user.name == name);
        // A name that nobody has costs what another costs, always the same one: the time tells nobody who exists.
        let user = known.unwrap_or_else(|| self.stand_in(name));
        if known.is_some() && self.remembers(user, password) {
            return Checked::Right;
        }
        let Ok(waiting) = Arc::clone(&self.waiting).try_acquire_owned() else {
            return Checked::Busy;
        };
        let Ok(turn) = Arc::clone(&self.turn).acquire_owned().await else {
            return Checked::Busy;
        };
        // Another request may have brought the same one.
        if known.is_some() && self.remembers(user, password) {
            return Checked::Right;
        }
        let (hash, copy) = (Arc::clone(&user.hash), password.to_vec());
        let right = spawn_blocking(move || {
            let right = bcrypt::verify(copy, &hash).unwrap_or(false);
            // Given back here: whoever goes away leaves the check running.
            drop((waiting, turn));
            right
        });
        if right.await.unwrap_or(false) && known.is_some() {
            *user.verified() = Some(hmac::sign(&self.key, password));
            return Checked::Right;
        }
        Checked::Wrong
    }

    fn remembers(&self, user: &User, password: &[u8]) -> bool {
        let verified = *user.verified();
        verified.is_some_and(|tag| hmac::verify(&self.key, password, tag.as_ref()).is_ok())
    }

    fn stand_in(&self, name: &str) -> &User {
        let count = self.users.len() as u64;
        let index = self.stand_ins.hash_one(name) % count;
        &self.users[usize::try_from(index).expect("an index of the users fits")]
    }
}

impl User {
    fn verified(&self) -> MutexGuard<'_, Option<hmac::Tag>> {
        // It is written in one step.
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

/// A key that lives as long as what it makes comparable.
pub(super) fn random_key() -> Result<hmac::Key, WebConfigError> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| WebConfigError::new("the system has no random numbers"))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}
