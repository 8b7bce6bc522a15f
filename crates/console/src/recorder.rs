//! Around each route: headers that every answer carries, figures, and the access line.

use crate::Console;
use crate::access::Line;
use crate::metrics;
use axum::body::Body;
use http::{HeaderValue, Request, Response, header};
use model::RequestId;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// Records what one route answers.
#[derive(Clone)]
pub(crate) struct Recording {
    console: Console,
    route: usize,
}

impl Recording {
    /// For the route with this place in the table of routes.
    pub(crate) fn new(console: Console, route: usize) -> Self {
        Self { console, route }
    }
}

impl<S> Layer<S> for Recording {
    type Service = Recorder<S>;

    fn layer(&self, inner: S) -> Recorder<S> {
        Recorder { inner, recording: self.clone() }
    }
}

/// A route with its recording.
#[derive(Clone)]
pub(crate) struct Recorder<S> {
    inner: S,
    recording: Recording,
}

/// The request's id, told by whoever finds out, for the access line. Only there when somebody logs.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<OnceLock<RequestId>>);

impl Trace {
    pub(crate) fn tell(&self, request: RequestId) {
        // The first one stands.
        let _ = self.0.set(request);
    }
}

/// The code of a problem, told to the access line.
#[derive(Clone, Copy)]
pub(crate) struct Code(pub(crate) &'static str);

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Recorder<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Answering {
        let Recording { console, route } = self.recording.clone();
        let method = metrics::method(request.method());
        let watch = console.log().is_some().then(|| (Instant::now(), Trace::default()));
        if let Some((_, trace)) = &watch {
            request.extensions_mut().insert(trace.clone());
        }
        let answering = self.inner.call(request);
        Box::pin(async move {
            let Ok(mut response) = answering.await;
            let status = response.status().as_u16();
            console.metrics().answered(route, method, status);
            if let (Some(log), Some((since, trace))) = (console.log(), watch) {
                log.answered(&Line {
                    method: metrics::METHODS[method],
                    route: console.metrics().route(route),
                    status,
                    code: response.extensions().get::<Code>().map(|code| code.0),
                    request: trace.0.get().copied(),
                    duration: since.elapsed(),
                });
            }
            harden(&mut response);
            Ok(response)
        })
    }
}

/// Headers that every answer carries.
fn harden(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
    // Pages bring their own.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none'"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
