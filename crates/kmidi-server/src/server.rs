use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use crate::gate::Gate;
use crate::routes::router;
use crate::{Limits, ServerConfig, Source};

/// Before connections are accepted again where the system has no room for another.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long what hangs is waited for once the time to stop is over.
const LEAVE_TIME: Duration = Duration::from_millis(500);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Somebody else listens there.
    #[error("{0} is in use already")]
    InUse(SocketAddr),
    /// The machine has no such address.
    #[error("this machine has no address {0}")]
    NoSuchAddress(std::net::IpAddr),
    /// The user may not listen there: on ports below 1024, as a rule.
    #[error("this user may not listen at {0}")]
    NotAllowed(SocketAddr),
    /// Something else of the system's.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// No threads, or nothing to wait with.
    #[error("the system refuses what a server needs: {0}")]
    Refused(#[from] io::Error),
}

/// An address that is taken: who connects waits until there is a [`Server`].
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes an address; port 0 is any that is free. `[side B]`
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn bind(address: SocketAddr) -> Result<Self, ServerError> {
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ServerError::InUse(address),
            io::ErrorKind::AddrNotAvailable => ServerError::NoSuchAddress(address.ip()),
            io::ErrorKind::PermissionDenied => ServerError::NotAllowed(address),
            _ => ServerError::Listen { address, source },
        };
        let socket = TcpListener::bind(address).map_err(refused)?;
        let address = socket.local_addr().map_err(refused)?;
        Ok(Listener { socket, address })
    }

    /// Where it is, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A server that runs, on threads of its own. Dropping it is [`stop`](Server::stop).
pub struct Server {
    runtime: Option<Runtime>,
    accepting: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    stop_time: Duration,
}

impl Server {
    /// Starts to answer. `[side B]`
    ///
    /// # Errors
    /// [`ServerError::Refused`].
    pub fn start(
        listener: Listener,
        config: ServerConfig,
        source: Arc<dyn Source>,
    ) -> Result<Self, ServerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(config.workers)
            .max_blocking_threads(config.concurrency)
            .thread_name("kmidi-http")
            .enable_io()
            .enable_time()
            .build()?;
        listener.socket.set_nonblocking(true)?;
        let socket = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener.socket)?
        };
        let router = router(source, Arc::new(Gate::new(&config)));
        let (stop, stopped) = oneshot::channel();
        let task = runtime.spawn(accept(socket, router, config.limits, stopped));
        let stop_time = config.limits.stop_time;
        Ok(Server { runtime: Some(runtime), accepting: Some((stop, task)), stop_time })
    }

    /// Takes no more connections, and waits for the requests under way, so long as the limits say. Whether all
    /// of them were answered.
    pub fn stop(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let (Some(runtime), Some((stop, task))) = (self.runtime.take(), self.accepting.take()) else {
            return true;
        };
        // Whoever is gone has stopped.
        let _ = stop.send(());
        let in_time = runtime.block_on(async { timeout(self.stop_time, task).await.is_ok() });
        runtime.shutdown_timeout(LEAVE_TIME);
        in_time
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Accepts until it is told to stop, then waits for what is under way.
async fn accept(
    socket: tokio::net::TcpListener,
    router: Router,
    limits: Limits,
    mut stopped: oneshot::Receiver<()>,
) {
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    loop {
        let next = async {
            let place = room.clone().acquire_owned().await.expect("it is never closed");
            (place, socket.accept().await)
        };
        let (place, accepted) = tokio::select! {
            _ = &mut stopped => break,
            next = next => next,
        };
        let Ok((stream, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let connection = serve(stream, router.clone(), &limits);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            // A client that breaks off, or sends what is no HTTP, is no trouble of ours.
            let _ = connection.await;
        });
    }
    drop(socket);
    connections.shutdown().await;
}

type Io = TokioIo<std::pin::Pin<Box<TimeoutStream<TcpStream>>>>;

fn serve(
    stream: TcpStream,
    router: Router,
    limits: &Limits,
) -> http1::Connection<Io, TowerToHyperService<Router>> {
    let mut stream = TimeoutStream::new(stream);
    // Of who does not read.
    stream.set_write_timeout(Some(limits.request_time));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(limits.head_lines)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router))
}
