//! Three stages that overlap, a batch at a time: reading, computing, writing.
//!
//! One thread reads, one for each worker computes and one writes. Each holds one batch and hands it
//! over when the next is free, so that memory stays flat whatever the number of batches.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;

use crate::message::NO_THREAD;

/// Batches that wait between two threads: all cores are busy without any, and a batch takes up to
/// 20 MB.
const WAITING: usize = 0;

/// The stages. Items of a batch are read and written side by side.
pub(crate) struct Stages<Read, Compute, Write> {
    /// Makes of an item what is computed with.
    pub read: Read,
    /// Computes a batch with a worker. An error ends the run.
    pub compute: Compute,
    /// Writes a result. An error ends the run.
    pub write: Write,
}

impl<Read, Compute, Write> Stages<Read, Compute, Write> {
    /// Takes every batch through the stages, and gives the rows of each to `written`. Batches come in
    /// no certain order, since workers take them as they are free.
    ///
    /// # Errors
    ///
    /// The first that a worker meets, or else the writer or `written`: then nothing more is read,
    /// computed or written.
    pub(crate) fn run<Item, Input, Output, Row, Worker>(
        self,
        batches: impl Iterator<Item = Vec<Item>> + Send,
        workers: impl IntoIterator<Item = Worker>,
        mut written: impl FnMut(Vec<Row>) -> Result<()> + Send,
    ) -> Result<()>
    where
        Item: Send,
        Input: Send,
        Output: Send,
        Row: Send,
        Worker: Send,
        Read: Fn(Item) -> Input + Sync,
        Compute: Fn(&mut Worker, Vec<Input>) -> Result<Vec<Output>> + Sync,
        Write: Fn(Output) -> Result<Row> + Sync,
    {
        let (to_compute, inputs) = sync_channel::<Vec<Input>>(WAITING);
        let (to_write, outputs) = sync_channel::<Vec<Output>>(WAITING);
        // Whoever is free takes the next batch; when all have failed, nobody holds the channel.
        let inputs = Arc::new(Mutex::new(inputs));
        let Self { read, compute, write } = &self;
        std::thread::scope(|scope| {
            start(scope, move || {
                for batch in batches {
                    // The other end hangs up when the run is over.
                    if to_compute.send(batch.into_par_iter().map(read).collect()).is_err() {
                        return;
                    }
                }
            })?;
            let writer = start(scope, move || {
                for batch in outputs {
                    written(batch.into_par_iter().map(write).collect::<Result<_>>()?)?;
                }
                Ok(())
            })?;
            let workers = workers
                .into_iter()
                .map(|mut worker| {
                    let (inputs, to_write) = (Arc::clone(&inputs), to_write.clone());
                    start(scope, move || {
                        work(|batch| compute(&mut worker, batch), &inputs, &to_write)
                    })
                })
                .collect::<Result<Vec<_>>>()?;
            drop((inputs, to_write));
            for worker in workers {
                worker.join().map_err(|_| anyhow!("the thread that computes has failed"))??;
            }
            writer.join().map_err(|_| anyhow!("the thread that writes results has failed"))?
        })
    }
}

fn start<'scope, ModelResults: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    run: impl FnOnce() -> ModelResults + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, ModelResults>> {
    Builder::new().spawn_scoped(scope, run).context(NO_THREAD)
}

/// Computes batches until there are none, or nobody writes them any more.
fn work<Input, Output>(
    mut compute: impl FnMut(Vec<Input>) -> Result<Vec<Output>>,
    inputs: &Mutex<Receiver<Vec<Input>>>,
    to_write: &SyncSender<Vec<Output>>,
) -> Result<()> {
    let next = || inputs.lock().ok()?.recv().ok();
    while let Some(batch) = next() {
        if to_write.send(compute(batch)?).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const ITEMS: usize = 1000;

    fn batches(size: usize) -> impl Iterator<Item = Vec<usize>> + Send {
        (0..ITEMS).step_by(size).map(move |first| (first..ITEMS.min(first + size)).collect())
    }

    #[test]
    fn every_item_comes_through_whatever_the_batches_and_workers() {
        for (size, workers) in [(1, 1), (7, 1), (8, 3), (ITEMS, 2)] {
            let mut rows = Vec::new();
            let stages = Stages {
                read: |item: usize| item * 2,
                compute: |worker: &mut usize, batch: Vec<usize>| {
                    *worker += batch.len();
                    Ok(batch.into_iter().map(|item| item + 1).collect())
                },
                write: |item: usize| Ok(item),
            };
            let took = stages.run(batches(size), vec![0; workers], |batch| {
                rows.extend(batch);
                Ok(())
            });
            took.expect("rows");
            rows.sort_unstable();
            assert!(rows.into_iter().eq((0..ITEMS).map(|item| 2 * item + 1)), "{size}, {workers}");
        }
    }

    /// One batch in the hands of each thread, with up to two workers, and one that fails.
    const IN_FLIGHT: usize = 5;

    #[test]
    fn what_cannot_be_written_ends_the_run() {
        let read = AtomicUsize::new(0);
        let stages = Stages {
            read: |item: usize| {
                read.fetch_add(1, Ordering::Relaxed);
                item
            },
            compute: |(): &mut (), batch: Vec<usize>| Ok(batch),
            write: |item: usize| {
                if item < 20 { Ok(item) } else { Err(anyhow!("the disk is full")) }
            },
        };
        let error = stages.run(batches(1), [()], |_| Ok(())).expect_err("a full disk");
        assert_eq!(error.to_string(), "the disk is full");
        assert!(read.into_inner() <= 20 + IN_FLIGHT);
    }

    #[test]
    fn a_worker_that_fails_ends_the_run_when_none_is_left() {
        let read = AtomicUsize::new(0);
        let stages = Stages {
            read: |item: usize| {
                read.fetch_add(1, Ordering::Relaxed);
                item
            },
            compute: |(): &mut (), _: Vec<usize>| Err::<Vec<usize>, _>(anyhow!("no memory")),
            write: |item: usize| Ok(item),
        };
        let error = stages.run(batches(4), [(), ()], |_| Ok(())).expect_err("no memory");
        assert_eq!(error.to_string(), "no memory");
        assert!(read.into_inner() <= 4 * IN_FLIGHT);
    }

    #[test]
    fn reading_waits_for_writing() {
        let (ahead, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stages = Stages {
            read: |item: usize| {
                most.fetch_max(ahead.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                item
            },
            compute: |(): &mut (), batch: Vec<usize>| Ok(batch),
            write: |item: usize| {
                ahead.fetch_sub(1, Ordering::Relaxed);
                Ok(item)
            },
        };
        stages.run(batches(1), [()], |_| Ok(())).expect("rows");
        assert!(most.into_inner() <= IN_FLIGHT);
    }
}
