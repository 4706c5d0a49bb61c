//! The routes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use serde::Serialize;
use serde_json::json;

use crate::gate::{self, Gate, Place};
use crate::health::{Health, Readiness, Status};
use crate::metrics::{self, Figures};
use crate::source::Source;

/// The media type of the text format.
const TEXT_FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// All of them.
pub const ROUTES: [&str; 4] = ["/live", "/ready", "/health", "/metrics"];

#[derive(Clone)]
struct Context {
    source: Arc<dyn Source>,
    gate: Arc<Gate>,
}

/// All routes, behind the gate.
pub fn router(source: Arc<dyn Source>, gate: Arc<Gate>) -> Router {
    let context = Context { source, gate: gate.clone() };
    Router::new()
        .route("/ready", get(ready))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route_layer(middleware::from_fn_with_state(gate.clone(), gate::admit))
        // Always answered: whoever asks may end the process otherwise.
        .route("/live", get(live))
        .fallback(async || {
            refusal(StatusCode::NOT_FOUND, "there are /live, /ready, /health and /metrics here")
        })
        .method_not_allowed_fallback(async || {
            refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed here")
        })
        .layer(middleware::from_fn_with_state(gate, gate::name))
        .with_state(context)
}

async fn live() -> Response {
    json(StatusCode::OK, &json!({ "status": "live" }))
}

async fn ready(State(context): State<Context>, place: Extension<Place>) -> Result<Response, Response> {
    let playing = gate::work(place, move || context.source.playing()).await?;
    Ok(match Readiness::of(playing.as_ref()) {
        Readiness::Ready => json(StatusCode::OK, &json!({ "status": "ready" })),
        Readiness::NotReady(reason) => {
            json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not ready", "reason": reason }))
        }
    })
}

/// 503 where a part is degraded: that is what load balancers and probes understand.
async fn health(State(context): State<Context>, place: Extension<Place>) -> Result<Response, Response> {
    let look = move || Health::of(&context.source.memory(), context.source.playing().as_ref());
    let health = gate::work(place, look).await?;
    let status = match health.status {
        Status::Ok => StatusCode::OK,
        Status::Degraded => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok(json(status, &health))
}

async fn metrics(State(context): State<Context>, place: Extension<Place>) -> Result<Response, Response> {
    let look = move || {
        metrics::text(&Figures {
            memory: context.source.memory(),
            system: kmidi_sys::system_memory().ok(),
            playing: context.source.playing(),
            answers: context.gate.counters.read(),
        })
    };
    let text = gate::work(place, look).await?;
    Ok(([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response())
}

/// Says why not.
pub fn refusal(status: StatusCode, text: &str) -> Response {
    json(status, &json!({ "error": text }))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).expect("plain values are JSON");
    // What was true a moment ago helps nobody.
    let headers =
        [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (status, headers, text).into_response()
}
