//! What may wait to be written to a client. Each client that takes its time holds so much for as long as it likes, and
//! there may be thousands: `obhut bench gateway --memory` measures them.

use tokio_rustls::server::TlsStream;

/// Most bytes of one HTTP/2 answer; a connection has up to a hundred.
pub(crate) const OF_STREAM: usize = 64 << 10;
/// Most bytes of a connection as TLS records: two of the largest. More of them waits for the socket alone, and what is not
/// encrypted yet is counted by HTTP already.
const RECORDS: usize = 32 << 10;

/// Lets no more than [`RECORDS`] wait; the library's own limit is twice as much.
pub(crate) fn limit_records<S>(stream: &mut TlsStream<S>) {
    stream.get_mut().1.set_buffer_limit(Some(RECORDS));
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Empty;
    use hyper::body::{Body, Frame};
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use std::convert::Infallible;
    use std::io;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Poll};
    use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

    /// Bytes that are under way between the two ends.
    const WIRE: usize = 1 << 10;
    const PIECE: usize = 16 << 10;

    async fn handshake() -> (TlsStream<DuplexStream>, tokio_rustls::client::TlsStream<DuplexStream>) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let certificate = CertificateDer::from(made.cert.der().to_vec());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("fits");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate).expect("a root");
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (ours, theirs) = duplex(WIRE);
        let name = ServerName::try_from("localhost").expect("a name");
        let (server, client) = tokio::join!(
            tokio_rustls::TlsAcceptor::from(Arc::new(server)).accept(ours),
            tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, theirs),
        );
        (server.expect("a handshake"), client.expect("a handshake"))
    }

    /// How much a stream takes that nobody reads.
    async fn taken(mut stream: TlsStream<DuplexStream>) -> usize {
        let piece = [b'x'; PIECE];
        let mut taken = 0;
        std::future::poll_fn(|cx| {
            while let Poll::Ready(written) = Pin::new(&mut stream).poll_write(cx, &piece) {
                taken += written.expect("open");
            }
            Poll::Ready(())
        })
        .await;
        taken
    }

    #[tokio::test]
    async fn few_records_wait_for_a_client_that_reads_nothing() {
        let (mut server, _client) = handshake().await;
        limit_records(&mut server);
        let limited = taken(server).await;
        assert!((PIECE..=RECORDS + WIRE).contains(&limited), "{limited} bytes");
        let (server, _client) = handshake().await;
        assert!(taken(server).await > RECORDS + WIRE, "the library's own limit is low enough by now");
    }

    /// An answer without an end, and how much of it was asked for.
    struct Endless(Arc<AtomicUsize>);

    impl Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.fetch_add(PIECE, Ordering::Relaxed);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; PIECE])))))
        }
    }

    /// A client's end that counts what it reads, and reads nothing once it is told so.
    struct Ear {
        inner: DuplexStream,
        is_deaf: Arc<AtomicBool>,
        heard: Arc<AtomicUsize>,
    }

    impl AsyncRead for Ear {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            if this.is_deaf.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            let before = into.filled().len();
            let polled = Pin::new(&mut this.inner).poll_read(cx, into);
            this.heard.fetch_add(into.filled().len() - before, Ordering::Relaxed);
            polled
        }
    }

    impl AsyncWrite for Ear {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.get_mut().inner).poll_write(cx, from)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().inner).poll_flush(cx)
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
        }
    }

    /// What waits of an answer over HTTP/2 whose client opens its windows wide and reads nothing.
    async fn waits(of_stream: usize) -> usize {
        let pulled = Arc::<AtomicUsize>::default();
        let (ours, theirs) = duplex(WIRE);
        let counting = pulled.clone();
        let service = service_fn(move |_| {
            let answer = Response::new(Endless(counting.clone()));
            async { Ok::<_, Infallible>(answer) }
        });
        tokio::spawn(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_send_buf_size(of_stream)
                .serve_connection(TokioIo::new(ours), service),
        );
        let (is_deaf, heard) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let ear = Ear { inner: theirs, is_deaf: is_deaf.clone(), heard: heard.clone() };
        let (mut sender, client) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(16 << 20)
            .initial_connection_window_size(16 << 20)
            .handshake(TokioIo::new(ear))
            .await
            .expect("a connection");
        tokio::spawn(client);
        let request = Request::get("http://localhost/").body(Empty::<Bytes>::new()).expect("a request");
        let _answer = sender.send_request(request).await.expect("an answer");
        is_deaf.store(true, Ordering::Release);
        // One thread: whoever can do something does it in between.
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        pulled.load(Ordering::Relaxed) - heard.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn little_of_an_answer_waits_for_a_client_that_reads_nothing() {
        let most = 2 * OF_STREAM;
        let limited = waits(OF_STREAM).await;
        assert!((OF_STREAM..=most).contains(&limited), "{limited} bytes");
        assert!(waits(4 * OF_STREAM).await > most, "the limit limits nothing");
    }
}
