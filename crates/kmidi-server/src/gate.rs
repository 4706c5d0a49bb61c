//! What each request passes: it gets a name, is counted, and is refused where it would be too much.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::counters::Counters;
use crate::routes::{ROUTES, refusal};
use crate::{Limits, ServerConfig, request_id};

/// The one of a server.
pub struct Gate {
    limits: Limits,
    room: Arc<Semaphore>,
    pub counters: Counters,
}

/// A place among those that are worked on at once; kept until the work is done, also by work that nobody waits
/// for any more.
#[derive(Clone)]
pub struct Place(#[allow(dead_code, reason = "held, not used")] Arc<OwnedSemaphorePermit>);

impl Gate {
    pub fn new(config: &ServerConfig) -> Self {
        Gate {
            limits: config.limits,
            room: Arc::new(Semaphore::new(config.concurrency)),
            counters: Counters::new(&ROUTES),
        }
    }
}

/// Outermost: names and counts.
pub async fn name(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let id = request_id::of(request.headers());
    let mut response = next.run(request).await;
    response.headers_mut().insert(request_id::HEADER, id);
    gate.counters.count(route, response.status().as_u16());
    response
}

/// Takes the body, finds a place, and has the request answered, each in bounded time. Who sends slowly holds no
/// place.
pub async fn admit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let Limits { body_bytes, request_time, .. } = gate.limits;
    let (head, body) = request.into_parts();
    let body = match timeout(request_time, to_bytes(body, body_bytes)).await {
        Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
        Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or broke off"),
        Ok(Ok(body)) => body,
    };
    let Ok(place) = gate.room.clone().try_acquire_owned() else {
        let busy = refusal(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once: try again");
        return ([(header::RETRY_AFTER, HeaderValue::from_static("1"))], busy).into_response();
    };
    let mut request = Request::from_parts(head, Body::from(body));
    request.extensions_mut().insert(Place(Arc::new(place)));
    let answer = timeout(request_time, next.run(request)).await;
    answer.unwrap_or_else(|_| refusal(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long"))
}

/// Does what may wait on a thread for that.
pub async fn work<T: Send + 'static>(
    Extension(place): Extension<Place>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    done.await.map_err(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "the server failed at this request"))
}
