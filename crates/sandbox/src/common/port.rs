//! A port that can be listened on again after a stop.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports from which systems draw for outgoing connections (Linux: from 32768, others from
/// 49152): those would be taken by some client in between.
const PORTS: Range<u32> = 20_000..32_000;

/// How far apart processes begin to look, so that two that run at once do not meet.
const PER_PROCESS: u32 = 97;

/// An address of loopback that is free now, and that no outgoing connection will take while its
/// listener is stopped.
///
/// # Panics
/// Every port of the range is taken.
pub fn lasting_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let size = PORTS.end - PORTS.start;
    for _ in PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id()
            .wrapping_mul(PER_PROCESS)
            .wrapping_add(step)
            % size;
        let port = u16::try_from(PORTS.start + offset).unwrap_or_default();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port between {} and {} is free", PORTS.start, PORTS.end);
}
