//! The sender: keep-alive connections, each worked by a thread that writes a request and waits for
//! its answer. It lives in another process than what is measured.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::delivery::{Delivery, Target};

/// Connections of a saturating load.
pub(crate) const CONNECTIONS: usize = 64;

/// Connections of a load at a given rate: enough that no delivery waits for the one before.
const PACED_CONNECTIONS: usize = 16;

/// How long an answer may take before the run is given up.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// What is waited in a loop instead of asleep before a delivery is due: the kernel wakes a sleeper
/// some tens of microseconds late.
const SPIN: Duration = Duration::from_micros(150);

/// The largest answer head and body that is expected, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1_024;

/// A connection.
pub(crate) struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Line {
    pub(crate) fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target.addr)
            .with_context(|| format!("connecting to {}", target.addr))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
        Ok(Self {
            stream,
            answer: Vec::with_capacity(ANSWER_BYTES_MAX),
        })
    }

    /// Sends a request and returns the status and the body of its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        self.stream.write_all(request).context("sending")?;
        self.answer.clear();
        let mut chunk = [0; 4_096];
        loop {
            let read = self
                .stream
                .read(&mut chunk)
                .context("waiting for an answer")?;
            if read == 0 {
                bail!("the connection was closed instead of an answer");
            }
            self.answer.extend_from_slice(&chunk[..read]);
            if let Some((status, body_at, length)) = head(&self.answer) {
                let end = body_at + length;
                while self.answer.len() < end {
                    let read = self.stream.read(&mut chunk).context("reading an answer")?;
                    if read == 0 {
                        bail!("the connection was closed within an answer");
                    }
                    self.answer.extend_from_slice(&chunk[..read]);
                }
                return Ok((status, &self.answer[body_at..end]));
            }
        }
    }
}

/// Status, where the body begins, and how long it is; once the head is there.
fn head(answer: &[u8]) -> Option<(u16, usize, usize)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..end]).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    Some((status, end + 4, length))
}

/// What came of a load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// Deliveries that were answered 2xx.
    pub(crate) count: usize,
    /// From the first byte to the last answer.
    pub(crate) took: Duration,
}

/// Sends as fast as answers come, over [`CONNECTIONS`] connections, for so long. The deliveries are
/// sent again and again, each time under an identifier of its own.
pub(crate) fn for_a_while(
    target: &Target,
    deliveries: &[Delivery],
    time: Duration,
) -> anyhow::Result<Taken> {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let count = on_threads(CONNECTIONS, |_| {
        let mut line = Line::open(target)?;
        let (mut request, mut count) = (Vec::new(), 0);
        while began.elapsed() < time {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let delivery = &deliveries[number % deliveries.len()];
            delivery.write(target, Some(&format!("load-{number}")), &mut request);
            accepted(line.ask(&request)?)?;
            count += 1;
        }
        Ok(count)
    })?;
    Ok(Taken {
        count,
        took: began.elapsed(),
    })
}

/// Sends these deliveries once, as fast as answers come.
pub(crate) fn all(target: &Target, deliveries: &[Delivery]) -> anyhow::Result<Taken> {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let count = on_threads(CONNECTIONS, |_| {
        let mut line = Line::open(target)?;
        let (mut request, mut count) = (Vec::new(), 0);
        while let Some(delivery) = deliveries.get(next.fetch_add(1, Ordering::Relaxed)) {
            delivery.write(target, None, &mut request);
            accepted(line.ask(&request)?)?;
            count += 1;
        }
        Ok(count)
    })?;
    Ok(Taken {
        count,
        took: began.elapsed(),
    })
}

/// Sends these deliveries at a rate, whatever the answers do, and returns when each was due. What
/// goes out late because an answer before was late counts from when it was due.
pub(crate) fn paced(
    target: &Target,
    deliveries: &[Delivery],
    per_second: u32,
) -> anyhow::Result<Vec<Instant>> {
    let slot = Duration::from_secs(1) / per_second;
    let mut chance = fastrand::Rng::with_seed(u64::from(per_second));
    let start = Instant::now() + Duration::from_millis(50);
    // Anywhere within its slot, so that nothing runs in step with the timers of what is measured.
    let due: Vec<Instant> = (0..)
        .zip(deliveries)
        .map(|(index, _)| start + slot * index + slot.mul_f64(chance.f64()))
        .collect();
    on_threads(PACED_CONNECTIONS, |thread| {
        let mut line = Line::open(target)?;
        let (mut request, mut count) = (Vec::new(), 0);
        for (delivery, due) in deliveries
            .iter()
            .zip(&due)
            .skip(thread)
            .step_by(PACED_CONNECTIONS)
        {
            delivery.write(target, None, &mut request);
            if let Some(sleep) = due.checked_duration_since(Instant::now() + SPIN) {
                thread::sleep(sleep);
            }
            while Instant::now() < *due {
                std::hint::spin_loop();
            }
            accepted(line.ask(&request)?)?;
            count += 1;
        }
        Ok(count)
    })?;
    Ok(due)
}

fn accepted((status, body): (u16, &[u8])) -> anyhow::Result<()> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    bail!(
        "a delivery was answered {status}: {}",
        String::from_utf8_lossy(body)
    );
}

/// Runs `work` on so many threads and adds up what they did.
fn on_threads(
    threads: usize,
    work: impl Fn(usize) -> anyhow::Result<usize> + Sync,
) -> anyhow::Result<usize> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        let mut sum = 0;
        for thread in running {
            match thread.join() {
                Ok(count) => sum += count?,
                Err(_) => bail!("a sender panicked"),
            }
        }
        Ok(sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_when_they_are_there() {
        for (answer, want) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                Some((200, 38, 5)),
            ),
            (
                "HTTP/1.1 503 Busy\r\nretry-after: 5\r\n\r\n",
                Some((503, 37, 0)),
            ),
            ("HTTP/1.1 200 OK\r\nContent-Le", None),
        ] {
            assert_eq!(head(answer.as_bytes()), want, "{answer}");
        }
    }
}
