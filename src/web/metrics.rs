//! Prometheus metrics: counters as they happen, the ledger's numbers when they are asked for.

use crate::{model::DeliveryState, work::Publisher};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Why metrics cannot be collected.
#[derive(Debug, thiserror::Error)]
#[error("指标收集器装不上：{0}")]
pub struct MetricsError(String);

/// Collects the metrics of this process.
#[derive(Clone)]
pub struct Recorder {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// Collects from now on, for the whole process.
    ///
    /// # Errors
    /// [`MetricsError`] where something else collects already.
    pub fn install() -> Result<Self, MetricsError> {
        let handle = PrometheusBuilder::new()
            .install_recorder()
            .map_err(|error| MetricsError(error.to_string()))?;
        metrics::describe_counter!(
            "caishi_steps_total",
            "Steps that workers took, by channel and state reached."
        );
        metrics::describe_counter!(
            "caishi_worker_failures_total",
            "Times a worker could not use the ledger."
        );
        metrics::describe_gauge!(
            "caishi_deliveries",
            "Deliveries in the ledger, by channel and state."
        );
        metrics::describe_gauge!(
            "caishi_alerts",
            "Rows past their slot and not over, and slots that wait for a person."
        );
        metrics::describe_gauge!("caishi_held", "1 while nothing may be sent.");
        Ok(Self { handle })
    }

    /// The route `/metrics`.
    pub fn router(self, publisher: Publisher) -> Router {
        Router::new().route("/metrics", get(render)).with_state((self, publisher))
    }
}

async fn render(State((recorder, publisher)): State<(Recorder, Publisher)>) -> Response {
    if let Err(error) = refresh(&publisher).await {
        let chain: &dyn std::error::Error = &error;
        tracing::error!(error = chain, "指标读不到台账");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let format = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (format, recorder.handle.render()).into_response()
}

async fn refresh(publisher: &Publisher) -> Result<(), crate::work::WorkError> {
    // A state that no row is in any more must fall back to nothing.
    for channel in publisher.channels.keys() {
        for state in DeliveryState::ALL {
            metrics::gauge!(
                "caishi_deliveries",
                "channel" => channel.to_string(),
                "state" => state.as_str()
            )
            .set(0.0);
        }
    }
    for (channel, state, count) in publisher.store.counts().await? {
        metrics::gauge!(
            "caishi_deliveries",
            "channel" => channel.to_string(),
            "state" => state.as_str()
        )
        .set(count as f64);
    }
    metrics::gauge!("caishi_alerts").set(publisher.alerts().await?.len() as f64);
    let held = publisher.store.deployment().await?.hold.is_some();
    metrics::gauge!("caishi_held").set(if held { 1.0 } else { 0.0 });
    Ok(())
}
