//! Clients that send: slowly and many, or much and one.

use super::app::TAKEN;
use super::clients::{Crowd, Head, Target, Use, Wire};
use super::slow::PACE;
use crate::system::Problem;
use bytes::Bytes;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Bytes of a slow sender's head, about as many as one with cookies has.
const HEAD: usize = 4 << 10;
/// Bytes of a slow sender's body: more than the verdict allows for a client.
pub(crate) const BODY: usize = 1 << 20;
/// Bytes of a piece of a fast one.
const PIECE: usize = 64 << 10;

/// Heads and then bodies whose last bytes come one by one, half of the time each; each is answered at the end.
pub(crate) async fn slow(target: &Target, clients: usize, time: Duration) -> Result<(), Problem> {
    let body = Bytes::from(vec![b'b'; BODY]);
    let mut crowd = Crowd::default();
    for wire in target.connect_all(clients, Use::Http1).await? {
        crowd.add(send(wire, body.clone(), time / 2));
    }
    crowd.end().await
}

async fn send(mut wire: Wire, body: Bytes, time: Duration) -> Result<(), Problem> {
    let head = head(&format!("x-note: {}\r\n", "n".repeat(HEAD)), BODY as u64);
    dribble(&mut wire, head.as_bytes(), time).await?;
    dribble(&mut wire, &body, time).await?;
    is_taken(&mut wire, BODY as u64).await
}

/// One body at full speed.
pub(crate) async fn fast(target: &Target, length: u64) -> Result<(), Problem> {
    let mut wire = target.connect(0, Use::Http1).await?;
    wire.write_all(head("", length).as_bytes()).await?;
    let piece = vec![b'b'; PIECE];
    let mut left = length;
    while left > 0 {
        let next = left.min(PIECE as u64);
        wire.write_all(&piece[..next as usize]).await?;
        left -= next;
    }
    wire.flush().await?;
    is_taken(&mut wire, length).await
}

fn head(headers: &str, length: u64) -> String {
    format!("POST /taken HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n")
}

/// All but the last bytes at once, and those one by one for so long.
async fn dribble(wire: &mut Wire, bytes: &[u8], time: Duration) -> Result<(), Problem> {
    let slowly = (time.as_millis() / PACE.as_millis()).max(1) as usize;
    let (first, last) = bytes.split_at(bytes.len().saturating_sub(slowly));
    wire.write_all(first).await?;
    for byte in last {
        wire.flush().await?;
        tokio::time::sleep(PACE).await;
        wire.write_all(&[*byte]).await?;
    }
    Ok(wire.flush().await?)
}

async fn is_taken(wire: &mut Wire, length: u64) -> Result<(), Problem> {
    match Head::read(wire).await?.number(TAKEN) {
        Some(taken) if taken == length => Ok(()),
        taken => Err(Problem::new(format!("the app got {taken:?} of {length} bytes"))),
    }
}
