//! A gateway's metrics as we make them up.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Answers whatever is asked, until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    accepts: Option<JoinHandle<()>>,
}

impl Server {
    /// `answer` makes the whole response of the number of the request, from 1.
    pub(crate) fn start(answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), answer)
    }

    pub(crate) fn at(
        address: SocketAddr,
        answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let accepts = {
            let (stop, asked, heads) = (stop.clone(), asked.clone(), heads.clone());
            thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    heads.lock().unwrap().push(head(&stream));
                    let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
                    // Who has enough hangs up.
                    let _ = (&stream).write_all(&answer(number));
                    let _ = stream.shutdown(Shutdown::Write);
                }
            })
        };
        Self {
            address,
            stop,
            asked,
            heads,
            accepts: Some(accepts),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.accepts.take().map(JoinHandle::join);
    }
}

fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| line + "\n")
        .collect()
}

pub(crate) fn response(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into()
}

/// An exposition of these pairs, of a process that has run for long, at the scrape of this number.
pub(crate) fn exposition(pairs: &[(String, usize)], number: usize) -> Vec<u8> {
    let mut body = "process_start_time_seconds 1000\n\
        brightstaff_build_info{git_sha=\"0123456789abcdef0123\",version=\"9.9.9\"} 1\n"
        .to_owned();
    for (name, calls) in pairs {
        let of = format!("model=\"{name}\",provider=\"{name}\"");
        let calls = calls * number;
        body.push_str(&format!(
            "brightstaff_llm_upstream_requests_total{{error_class=\"none\",{of},status_class=\"2xx\"}} {calls}\n"
        ));
    }
    response("200 OK", &body)
}

/// Names that do something on a terminal, as the exposition writes them.
pub(crate) const HOSTILE: [&str; 7] = [
    "\u{1b}]0;hacked\u{7}",
    "\u{1b}[2J\u{1b}[H",
    "\u{9b}31mred",
    "\\n\\ncopied\r",
    "\u{202e}desrever",
    "e\u{301}\u{200b}",
    "模型🦀",
];
