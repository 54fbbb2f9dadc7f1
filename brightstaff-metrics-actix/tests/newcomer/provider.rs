//! Who the service asks.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
};

/// A provider that does what each request's script says; it goes on with a stream when it is told to.
pub(crate) fn provider(go_on: mpsc::Receiver<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let go_on = Arc::new(Mutex::new(go_on));
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let go_on = Arc::clone(&go_on);
            thread::spawn(move || play(tcp.unwrap(), &go_on));
        }
    });
    address
}

fn play(mut tcp: TcpStream, go_on: &Mutex<mpsc::Receiver<()>>) {
    let mut request = vec![0; 4096];
    let read = tcp.read(&mut request).unwrap();
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    let plays = |script: &str| request.contains(&format!("x-script: {script}\r\n"));
    let close = "connection: close\r\n";
    let mut write = |text: String| tcp.write_all(text.as_bytes()).unwrap();
    if plays("plain") {
        let length = PLAIN.len();
        write(format!(
            "HTTP/1.1 200 OK\r\n{close}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{PLAIN}"
        ));
    } else if plays("limited") {
        write(format!(
            "HTTP/1.1 429 Too Many Requests\r\n{close}content-length: 0\r\n\r\n"
        ));
    } else if plays("hung") {
        let _ = tcp.read(&mut [0; 1]);
    } else {
        write(format!(
            "HTTP/1.1 200 OK\r\n{close}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        ));
        write(format!("{:x}\r\n{FIRST}\r\n", FIRST.len()));
        if plays("stream") {
            go_on.lock().unwrap().recv().unwrap();
            write(format!("{:x}\r\n{REST}\r\n0\r\n\r\n", REST.len()));
        } else if plays("left") {
            let _ = tcp.read(&mut [0; 1]);
        }
    }
}

const PLAIN: &str = r#"{"object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;
const FIRST: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n";
const REST: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n";
