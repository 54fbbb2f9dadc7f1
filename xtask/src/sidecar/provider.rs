//! A provider that costs as little as it can, with a thread for each connection.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use anyhow::Result;

use super::load::{EVENTS, Message, STREAMED};

/// The body of a response with JSON, in bytes.
const BODY: usize = 1024;

/// Between two events of a stream, so that each passes by itself.
const PAUSE: Duration = Duration::from_millis(1);

/// A request whose stream stands still behind its first event, for as long as its client is there.
pub(super) const HELD: &[u8] = b"hold the stream";

/// Answers for as long as the task runs.
pub(super) struct Provider {
    pub(super) address: SocketAddr,
}

impl Provider {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            let answers = Answers::new();
            thread::scope(|threads| {
                for stream in listener.incoming().flatten() {
                    let answers = &answers;
                    let builder = thread::Builder::new().stack_size(128 << 10);
                    // Where no thread can be had the connection closes, and the load fails.
                    let _ = builder.spawn_scoped(threads, move || answers.serve(stream));
                }
            });
        });
        Ok(Self { address })
    }
}

struct Answers {
    json: Vec<u8>,
    stream_head: Vec<u8>,
    event: Vec<u8>,
    last: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        let start = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":""#;
        let end = r#""}}],"usage":{"prompt_tokens":120,"completion_tokens":180,"total_tokens":300,"prompt_tokens_details":{"cached_tokens":0}}}"#;
        let words = "words ".repeat(BODY).split_off(start.len() + end.len());
        let words = &words[..BODY - start.len() - end.len()];
        let head = "HTTP/1.1 200 OK\r\ndate: Sat, 01 Nov 2025 12:00:00 GMT\r\nserver: provider\r\n\
                    x-request-id: req_0123456789abcdef0123456789abcdef\r\nopenai-version: 2020-10-01\r\n\
                    x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-remaining-tokens: 149999\r\n";
        let json = format!(
            "{head}content-type: application/json\r\ncontent-length: {BODY}\r\n\r\n{start}{words}{end}"
        );
        let event = "data: {\"id\":\"chatcmpl-0123456789abcdef0123456789\",\"object\":\"chat.completion.chunk\",\
             \"created\":1700000000,\"model\":\"gpt-4o-2024-08-06\",\"system_fingerprint\":\"fp_0123456789\",\
             \"choices\":[{\"index\":0,\"delta\":{\"content\":\" words\"},\"finish_reason\":null}]}\n\n";
        let last = "data: {\"id\":\"chatcmpl-0123456789abcdef0123456789\",\"object\":\"chat.completion.chunk\",\
             \"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,\
             \"completion_tokens\":99,\"total_tokens\":111}}\n\ndata: [DONE]\n\n";
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len()).into_bytes();
        Self {
            json: json.into_bytes(),
            stream_head: format!(
                "{head}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            .into_bytes(),
            event: chunk(event),
            last: [chunk(last), b"0\r\n\r\n".to_vec()].concat(),
        }
    }

    /// Answers one request after the other. Whatever goes wrong closes the connection.
    fn serve(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let mut message = Message::default();
        while message.read(&mut stream).is_ok_and(|is_there| is_there) {
            let holds = |text: &[u8]| message.body().windows(text.len()).any(|part| part == text);
            let answered = if holds(HELD) {
                self.hold(&mut stream, &mut message)
            } else if message.body().starts_with(STREAMED) {
                self.stream(&mut stream)
            } else {
                stream.write_all(&self.json)
            };
            if answered.is_err() {
                return;
            }
        }
    }

    fn stream(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(&self.stream_head)?;
        for _ in 1..EVENTS {
            stream.write_all(&self.event)?;
            thread::sleep(PAUSE);
        }
        stream.write_all(&self.last)
    }

    fn hold(&self, stream: &mut TcpStream, message: &mut Message) -> io::Result<()> {
        stream.write_all(&self.stream_head)?;
        stream.write_all(&self.event)?;
        // Nothing comes but the end.
        message.read(stream).map(drop)
    }
}
