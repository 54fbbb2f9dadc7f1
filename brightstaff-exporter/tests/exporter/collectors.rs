//! Collectors that are not ours.

use std::{collections::HashMap, thread::ThreadId, time::Duration};

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::support::{ask, registry, serve};

/// A collector that takes its time, and says on which thread.
struct Slow(std::sync::mpsc::Sender<ThreadId>, Desc);

impl Collector for Slow {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.1]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.send(std::thread::current().id()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        Vec::new()
    }
}

#[tokio::test]
async fn gathering_holds_up_nobody() {
    let (sender, threads) = std::sync::mpsc::channel();
    let desc = Desc::new("slow".into(), "Slow.".into(), vec![], HashMap::new()).unwrap();
    let registry = registry();
    registry.register(Box::new(Slow(sender, desc))).unwrap();
    let address = serve(registry).await;
    assert_eq!(ask(address, "GET", "/metrics", "").await.status, 200);
    // This test's runtime has one thread, which serves as well.
    assert_ne!(threads.recv().unwrap(), std::thread::current().id());
}

/// A collector that cannot.
struct Broken(Desc);

impl Collector for Broken {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        panic!("cannot")
    }
}

#[tokio::test]
async fn a_collector_that_panics_is_500() {
    let desc = Desc::new("broken".into(), "Broken.".into(), vec![], HashMap::new()).unwrap();
    let registry = Registry::new();
    registry.register(Box::new(Broken(desc))).unwrap();
    let address = serve(registry).await;
    assert_eq!(ask(address, "GET", "/metrics", "").await.status, 500);
    assert_eq!(ask(address, "GET", "/healthz", "").await.status, 200);
}
