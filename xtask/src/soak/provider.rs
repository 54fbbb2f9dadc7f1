//! A provider that does what the plan in a header of each request says, faults above all.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use super::{answer::answer, plan::Plan};

/// The header that holds the plan.
pub(super) const PLAN: &str = "x-soak-plan";
/// The header that holds the number of the request.
pub(super) const NUMBER: &str = "x-soak-number";

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The provider, for as long as this lives.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Who waits for the arrival of the request with this number.
    waiting: Mutex<HashMap<u64, mpsc::Sender<()>>>,
    connections: Mutex<HashMap<SocketAddr, TcpStream>>,
}

impl Provider {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the provider")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.connection(&stream));
            }
        });
        Ok(Self { address, shared })
    }

    /// Tells when the request with this number has arrived.
    pub(super) fn arrival(&self, number: u64) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel();
        lock(&self.shared.waiting).insert(number, sender);
        receiver
    }

    /// Closes every connection, those that the gateway keeps for later above all.
    pub(super) fn hang_up(&self) {
        for stream in lock(&self.shared.connections).values() {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn connection(&self, stream: &TcpStream) {
        let Ok(peer) = stream.peer_addr() else { return };
        if let Ok(kept) = stream.try_clone() {
            lock(&self.connections).insert(peer, kept);
        }
        // Whoever it is that goes, the connection is over.
        let _ = self.serve(stream);
        lock(&self.connections).remove(&peer);
        let _ = stream.shutdown(Shutdown::Both);
    }

    fn serve(&self, stream: &TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        while let Some((plan, number)) = read_request(&mut reader)? {
            if let Some(waiting) = lock(&self.waiting).remove(&number) {
                // The client may have given up.
                let _ = waiting.send(());
            }
            if !answer(plan, stream)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The plan of the next request, and its number; `None` where there is none.
fn read_request(reader: &mut impl BufRead) -> Result<Option<(Plan, u64)>> {
    let (mut plan, mut number, mut length) = (Plan::Json, 0, 0);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name {
            PLAN => plan = Plan::parse(value).context("no such plan")?,
            NUMBER => number = value.parse()?,
            // All that the example gateway hands on.
            "authorization" => {
                let (named, numbered) = value.split_once(' ').context("no plan and number")?;
                plan = Plan::parse(named).context("no such plan")?;
                number = numbered.parse()?;
            }
            "content-length" => length = value.parse()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((plan, number)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
