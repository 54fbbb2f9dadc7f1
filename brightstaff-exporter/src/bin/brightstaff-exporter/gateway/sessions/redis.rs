//! Sessions that replicas share.
//!
//! A key is the prefix and a digest, so that no session's id leaves the gateway; a value is the name of a candidate,
//! which replicas know whatever the order in their configurations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use arc_swap::ArcSwap;
use brightstaff_metrics_core::{
    Metrics,
    labels::{Outcome, SessionCacheEvent, SessionCacheOperation as Operation},
};
use redis::{
    Client, Cmd, FromRedisValue, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use ring::digest::{Context as Digest, SHA256};
use tokio::{sync::Semaphore, time};

use super::{Failed, Session};
use crate::{config, gateway::directory::Candidate};

/// How many stores and removals may be on their way at once; what comes past it is a `store_error`.
const MAX_WRITES: u32 = 256;

/// How many operations may be on their way on the one connection; the next ones wait, for no longer than an operation
/// may take.
const MAX_IN_FLIGHT: usize = 1024;

/// The longest value that is read, in bytes: no name of a candidate is longer.
const MAX_VALUE_BYTES: usize = 1024;

/// How long after a connection that failed the next one is tried.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Clone, Debug)]
pub(super) struct Redis(Arc<Shared>);

struct Shared {
    client: Client,
    /// Does not connect by itself before it is asked.
    connection: ArcSwap<ConnectionManager>,
    key_prefix: Box<str>,
    ttl: Duration,
    connect_timeout: Duration,
    operation_timeout: Duration,
    /// Whether a task tries to connect.
    watched: AtomicBool,
    writes: Arc<Semaphore>,
    metrics: Metrics,
}

impl Redis {
    pub(super) fn new(config: &config::Sessions, metrics: &Metrics) -> anyhow::Result<Self> {
        let url = config.redis_url()?;
        if url.starts_with("rediss:") {
            // Whoever comes first: there is only this one.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        // What is wrong is not repeated: the URL may hold a password.
        let client = Client::open(url.as_str())
            .map_err(|_| config.url_error("is no URL of a Redis: write redis://host:6379"))?;
        let shared = Shared {
            connection: ArcSwap::from_pointee(manager(&client, config.connect_timeout)?),
            client,
            key_prefix: config.key_prefix.as_str().into(),
            ttl: config.ttl,
            connect_timeout: config.connect_timeout,
            operation_timeout: config.operation_timeout,
            watched: AtomicBool::new(false),
            writes: Arc::new(Semaphore::new(MAX_WRITES as usize)),
            metrics: metrics.clone(),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// The place of the candidate that a session was led to.
    pub(super) async fn get(
        &self,
        session: &Session,
        candidates: &[Candidate],
    ) -> Result<Option<usize>, Failed> {
        let key = self.0.key(session);
        let mut get = Cmd::new();
        // In place of `GET`, so that no value is longer than one of ours; what is not there is empty.
        get.arg("GETRANGE").arg(&key).arg(0).arg(MAX_VALUE_BYTES);
        let value: Vec<u8> = self.0.operation(Operation::Get, &get).await?;
        let name = std::str::from_utf8(&value);
        let name = name.ok().filter(|name| name.len() <= MAX_VALUE_BYTES);
        let Some(name) = name else {
            self.remove(key);
            return Ok(None);
        };
        // None of them has the name where replicas have different configurations.
        Ok(candidates.iter().position(|candidate| candidate.is(name)))
    }

    /// Remembers a session, without anyone waiting for it.
    pub(super) fn put(&self, session: &Session, candidate: &Candidate) {
        let mut set = Cmd::new();
        set.arg("SET")
            .arg(self.0.key(session))
            .arg(candidate.full_name())
            .arg("PX")
            .arg(u64::try_from(self.0.ttl.as_millis()).unwrap_or(u64::MAX));
        let shared = Arc::clone(&self.0);
        let permit = Arc::clone(&shared.writes).try_acquire_owned();
        let Ok(permit) = permit else {
            return shared.event(SessionCacheEvent::StoreError);
        };
        tokio::spawn(async move {
            let stored: Result<(), _> = shared.operation(Operation::Put, &set).await;
            shared.event(match stored {
                Ok(()) => SessionCacheEvent::Store,
                Err(Failed) => SessionCacheEvent::StoreError,
            });
            drop(permit);
        });
    }

    /// Forgets what is none of ours.
    fn remove(&self, key: String) {
        let shared = Arc::clone(&self.0);
        if let Ok(permit) = Arc::clone(&shared.writes).try_acquire_owned() {
            tokio::spawn(async move {
                let mut delete = Cmd::new();
                delete.arg("DEL").arg(key);
                let _: Result<(), _> = shared.operation(Operation::Remove, &delete).await;
                drop(permit);
            });
        }
    }

    /// Waits for the writes that are on their way.
    pub(super) async fn settle(&self) {
        // It is never closed.
        let _ = self.0.writes.acquire_many(MAX_WRITES).await;
    }

    /// Connects in the background, and says when that failed and when it worked.
    pub(super) fn watch(&self) {
        self.0.watch();
    }
}

impl Shared {
    fn event(&self, event: SessionCacheEvent) {
        self.metrics.session_cache().event(event);
    }

    /// Tenant, alias and session, each with its length before it, so that none runs into another.
    fn key(&self, session: &Session) -> String {
        let mut digest = Digest::new(&SHA256);
        for part in [&*session.tenant, &*session.alias, &*session.id] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let mut key = String::from(&*self.key_prefix);
        for byte in digest.finish().as_ref() {
            key.push(hexadecimal(byte >> 4));
            key.push(hexadecimal(byte & 15));
        }
        key
    }

    /// One operation, recorded: it ends in time, whatever becomes of the Redis.
    async fn operation<T: FromRedisValue>(
        self: &Arc<Self>,
        operation: Operation,
        command: &Cmd,
    ) -> Result<T, Failed> {
        let started = Instant::now();
        let mut connection = ConnectionManager::clone(&self.connection.load());
        let result: Result<RedisResult<T>, _> =
            time::timeout(self.operation_timeout, command.query_async(&mut connection)).await;
        let (outcome, result) = match result {
            Ok(Ok(value)) => (Outcome::Ok, Ok(value)),
            Ok(Err(error)) => {
                self.failed(&error);
                (Outcome::Error, Err(Failed))
            }
            Err(_) => {
                self.watch();
                (Outcome::Error, Err(Failed))
            }
        };
        let cache = self.metrics.session_cache();
        cache.operation(operation, outcome, started.elapsed());
        result
    }

    /// Looks after the connection, unless the Redis answered: then it is the command that it refused.
    fn failed(self: &Arc<Self>, error: &RedisError) {
        if error.is_io_error() || error.is_connection_dropped() || is_of_connection(error) {
            self.watch();
        } else {
            tracing::debug!(%error, "the Redis of the sessions refused a command");
        }
    }

    /// Tries until there is a connection that works. One task at a time.
    fn watch(self: &Arc<Self>) {
        if self.watched.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let mut told: Option<String> = None;
            loop {
                match shared.connect().await {
                    Ok(connection) => {
                        shared.connection.store(Arc::new(connection));
                        break;
                    }
                    Err(error) => {
                        let error = error.to_string();
                        if told.as_ref() != Some(&error) {
                            tracing::warn!(%error, "no connection to the Redis of the sessions: requests are routed as if they were new");
                            told = Some(error);
                        }
                        time::sleep(RETRY_INTERVAL).await;
                    }
                }
            }
            if told.is_some() {
                tracing::info!("connected to the Redis of the sessions");
            }
            shared.watched.store(false, Ordering::Release);
        });
    }

    async fn connect(&self) -> anyhow::Result<ConnectionManager> {
        let mut connection = manager(&self.client, self.connect_timeout)?;
        let ping = async {
            let answered: RedisResult<()> =
                Cmd::new().arg("PING").query_async(&mut connection).await;
            answered
        };
        time::timeout(self.connect_timeout, ping)
            .await
            .context("it does not answer in time")??;
        Ok(connection)
    }
}

/// A connection that is made when it is first asked.
fn manager(client: &Client, connect_timeout: Duration) -> anyhow::Result<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        // `watch` tries again.
        .set_number_of_retries(0)
        .set_connection_timeout(Some(connect_timeout))
        // Each operation has its own.
        .set_response_timeout(None)
        .set_concurrency_limit(MAX_IN_FLIGHT);
    let manager = ConnectionManager::new_lazy_with_config(client.clone(), config);
    manager.context("sessions.url: no connection can be prepared")
}

/// Whether this came of making a connection, such as a wrong password.
fn is_of_connection(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        redis::ErrorKind::AuthenticationFailed | redis::ErrorKind::InvalidClientConfig
    )
}

fn hexadecimal(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or_default()
}

/// The client would show the password.
impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}
