//! An S3 endpoint: `moto_server`, from `pip install 'moto[server]'`.

use super::{Server, ServerFolder, free_port, program, skip_unless_required};
use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    sync::OnceLock,
};

/// The running endpoint.
pub struct S3 {
    server: Server,
}

static S3: OnceLock<Result<S3, String>> = OnceLock::new();

/// The endpoint, started at the first call; `None` where it cannot be had.
#[track_caller]
pub fn s3() -> Option<&'static S3> {
    match S3.get_or_init(start) {
        Ok(s3) => Some(s3),
        Err(reason) => {
            skip_unless_required("s3", reason);
            None
        }
    }
}

fn start() -> Result<S3, String> {
    let moto = program("moto_server").ok_or("没有 moto_server：pip install 'moto[server]'")?;
    let folder = ServerFolder::new("s3");
    let port = free_port();
    let arguments = ["-H", "127.0.0.1", "-p", &port.to_string()];
    let server = Server::start(&moto, &arguments, &folder.path.join("log"), port)?;
    Ok(S3 { server })
}

impl S3 {
    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port)
    }

    /// Makes a bucket.
    pub fn make_bucket(&self, name: &str) {
        let (status, _) = self.request("PUT", &format!("/{name}"));
        assert_eq!(status, 200, "the bucket {name} is made");
    }

    /// The bytes of an object.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let (status, body) = self.request("GET", &format!("/{bucket}/{key}"));
        (status == 200).then_some(body)
    }

    /// Writes the objects below `prefix` into a folder, under the rest of their names.
    pub fn copy_out(&self, bucket: &str, prefix: &str, folder: &std::path::Path) {
        let (_, listing) = self.request("GET", &format!("/{bucket}?prefix={prefix}"));
        let listing = String::from_utf8(listing).unwrap();
        for part in listing.split("<Key>").skip(1) {
            let key = part.split("</Key>").next().unwrap();
            let path = folder.join(key.strip_prefix(prefix).unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, self.object(bucket, key).unwrap()).unwrap();
        }
    }

    fn request(&self, method: &str, path: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.port)).unwrap();
        let head = format!("{method} {path} HTTP/1.0\r\nHost: {}\r\n", self.address());
        // Whoever asks without a name is refused; no signature is checked.
        let name = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
                    SignedHeaders=host, Signature=0";
        let fields = format!("Authorization: {name}\r\nContent-Length: 0\r\n");
        write!(stream, "{head}{fields}\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
        (status, answer.split_off(end + 4))
    }
}
