use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use brightstaff_exporter::{Exporter, WebConfigError};
use prometheus::Registry;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Of the password `secret`, made with cost 4.
pub(crate) fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

/// A folder with a web configuration in it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(yaml: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("web.yml", yaml);
        folder
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        // As a whole, so that it is never read half-written.
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn exporter(&self) -> Result<Exporter, WebConfigError> {
        exporter().web_config(self.path("web.yml"))
    }
}

pub(crate) fn exporter() -> Exporter {
    Exporter::new(Registry::new()).bind_address(([127, 0, 0, 1], 0))
}

pub(crate) async fn serve(exporter: Exporter) -> SocketAddr {
    let bound = exporter.bind().await.unwrap();
    let address = bound.local_addr();
    tokio::spawn(bound.serve());
    address
}

/// The response to a GET, head and body.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    get_over(stream, path, headers).await.unwrap()
}

pub(crate) async fn get_over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
    headers: &str,
) -> std::io::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text))
        .await
        .expect("no response")?;
    Ok(text)
}

#[track_caller]
pub(crate) fn status(response: &str) -> u16 {
    response[9..12].parse().unwrap()
}
