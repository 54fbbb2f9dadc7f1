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
    users: Vec<Arc<User>>,
    key: hmac::Key,
    /// Whose hash a name is checked against that nobody has.
    stand_ins: RandomState,
    waiting: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

struct User {
    name: String,
    hash: String,
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
        let users = hashes.into_iter().map(|(name, hash)| {
            Arc::new(User {
                name,
                hash,
                verified: Mutex::new(None),
            })
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
        let (user, is_known) = (Arc::clone(user), known.is_some());
        let (key, password) = (self.key.clone(), password.to_vec());
        let right = spawn_blocking(move || {
            let right = bcrypt::verify(&password, &user.hash).unwrap_or(false) && is_known;
            // Here, since whoever asks may have gone meanwhile: where a check takes longer than a scrape may, the next
            // scrape profits from it.
            if right {
                *user.verified() = Some(hmac::sign(&key, &password));
            }
            drop((waiting, turn));
            right
        });
        match right.await {
            Ok(true) => Checked::Right,
            Ok(false) | Err(_) => Checked::Wrong,
        }
    }

    fn remembers(&self, user: &User, password: &[u8]) -> bool {
        let verified = *user.verified();
        verified.is_some_and(|tag| hmac::verify(&self.key, password, tag.as_ref()).is_ok())
    }

    fn stand_in(&self, name: &str) -> &Arc<User> {
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::time::timeout;

    use super::*;

    fn users(cost: u32) -> Users {
        let hash = bcrypt::hash("secret", cost).unwrap();
        Users::new(vec![("alice".to_owned(), hash)]).unwrap()
    }

    #[tokio::test]
    async fn a_check_counts_though_nobody_waited_for_its_end() {
        let users = users(8);
        let given_up = timeout(Duration::from_nanos(1), users.check("alice", b"secret"));
        assert!(given_up.await.is_err());
        let begun = Instant::now();
        while !users.remembers(&users.users[0], b"secret") {
            assert!(begun.elapsed() < Duration::from_secs(60), "lost");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!users.remembers(&users.users[0], b"other"));
    }

    #[tokio::test]
    async fn strangers_wait_in_a_short_line_and_keep_nobody_out_who_was_in() {
        let users = Arc::new(users(10));
        assert_eq!(users.check("alice", b"secret").await, Checked::Right);
        // As long as this is held no check begins.
        let turn = Arc::clone(&users.turn).acquire_owned().await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for i in 0..MAX_CHECKS {
            let users = Arc::clone(&users);
            waiting.spawn(async move { users.check(&format!("user {i}"), b"secret").await });
        }
        while users.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(users.check("bob", b"secret").await, Checked::Busy);
        assert_eq!(users.check("alice", b"secret").await, Checked::Right);
        drop(turn);
        while let Some(checked) = waiting.join_next().await {
            assert_eq!(checked.unwrap(), Checked::Wrong);
        }
    }
}
