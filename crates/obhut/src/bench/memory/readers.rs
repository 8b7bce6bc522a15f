//! Clients that read: slowly and many, or much and one.

use super::clients::{Crowd, Head, Target, Use, Wire};
use crate::system::Problem;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// How much a browser lets an HTTP/2 server send unasked, in bytes: of one answer, and of all of a connection.
const WINDOWS: (u32, u32) = (6 << 20, 15 << 20);
/// Bytes of a piece of a fast one.
const PIECE: usize = 64 << 10;

/// Answers of so many bytes over HTTP/1.1 that are read slowly for so long.
pub(crate) async fn slow(
    target: &Target,
    clients: usize,
    length: u64,
    time: Duration,
) -> Result<(), Problem> {
    let mut crowd = Crowd::default();
    for wire in target.connect_all(clients, Use::Http1Slow).await? {
        crowd.add(read(wire, length, time));
    }
    crowd.end().await
}

async fn read(mut wire: Wire, length: u64, time: Duration) -> Result<(), Problem> {
    ask(&mut wire, length).await?;
    Head::read(&mut wire).await?;
    wire.get_ref().0.brake().pull();
    let end = Instant::now() + time;
    let mut piece = [0; 1 << 10];
    while let Ok(read) = timeout_at(end, wire.read(&mut piece)).await {
        if read? == 0 {
            return Err(Problem::new("an answer ended early"));
        }
    }
    Ok(())
}

/// The same over HTTP/2, with so many answers of each connection at the same time.
pub(crate) async fn slow_http2(
    target: &Target,
    clients: usize,
    of_each: usize,
    length: u64,
    time: Duration,
) -> Result<(), Problem> {
    let mut crowd = Crowd::default();
    for wire in target.connect_all(clients / of_each, Use::Http2Slow).await? {
        crowd.add(read_http2(wire, of_each, length, time));
    }
    crowd.end().await
}

async fn read_http2(wire: Wire, count: usize, length: u64, time: Duration) -> Result<(), Problem> {
    let brake = wire.get_ref().0.brake();
    let mut sender = connect_http2(wire).await?;
    let first = sender.send_request(request(length)?).await.map_err(Problem::from_error("HTTP/2"))?;
    brake.pull();
    let end = Instant::now() + time;
    let mut crowd = Crowd::default();
    crowd.add(drain(first, end));
    for _ in 1..count {
        let asked = sender.send_request(request(length)?);
        crowd.add(async move {
            // Behind the answers of the others its head may not come in time; the app has seen the request.
            let Ok(answer) = timeout_at(end, asked).await else { return Ok(()) };
            drain(answer.map_err(Problem::from_error("HTTP/2"))?, end).await
        });
    }
    crowd.end().await
}

async fn connect_http2(wire: Wire) -> Result<SendRequest<Empty<Bytes>>, Problem> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .handshake(TokioIo::new(wire))
        .await
        .map_err(Problem::from_error("HTTP/2"))?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn drain(answer: Response<Incoming>, end: Instant) -> Result<(), Problem> {
    if answer.status() != StatusCode::OK {
        return Err(Problem::new(format!("answered {}", answer.status())));
    }
    let mut body = answer.into_body();
    while let Ok(frame) = timeout_at(end, body.frame()).await {
        let frame = frame.ok_or_else(|| Problem::new("an answer ended early"))?;
        frame.map_err(Problem::from_error("HTTP/2"))?;
    }
    Ok(())
}

/// One answer of so many bytes at full speed.
pub(crate) async fn fast(target: &Target, length: u64) -> Result<(), Problem> {
    let mut wire = target.connect(0, Use::Http1).await?;
    ask(&mut wire, length).await?;
    let mut taken = Head::read(&mut wire).await?.begun as u64;
    let mut piece = vec![0; PIECE];
    while taken < length {
        match wire.read(&mut piece).await? {
            0 => return Err(Problem::new(format!("an answer of {length} bytes ended after {taken}"))),
            read => taken += read as u64,
        }
    }
    Ok(())
}

/// One small answer over each protocol, so that what is made once is there.
pub(crate) async fn warm_up(target: &Target) -> Result<(), Problem> {
    fast(target, 1).await?;
    let wire = target.connect(0, Use::Http2Slow).await?;
    let mut sender = connect_http2(wire).await?;
    let answer = sender.send_request(request(1)?).await.map_err(Problem::from_error("HTTP/2"))?;
    answer.into_body().collect().await.map_err(Problem::from_error("HTTP/2"))?;
    Ok(())
}

async fn ask(wire: &mut Wire, length: u64) -> Result<(), Problem> {
    let head = format!("GET /bytes/{length} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    wire.write_all(head.as_bytes()).await?;
    Ok(wire.flush().await?)
}

fn request(length: u64) -> Result<Request<Empty<Bytes>>, Problem> {
    let uri = format!("https://localhost/bytes/{length}");
    Request::get(uri).body(Empty::new()).map_err(Problem::from_error("the request"))
}
