//! The inputs of batches, made on a thread of their own ahead of the step that uses them.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use tch::{Device, Tensor};

use super::examples::{Draw, Inputs};
use crate::Error;

/// Batches that wait beside the one in use and the one in the making.
const AHEAD: usize = 2;

/// Gives the batches in order.
pub(crate) struct Loader<'a> {
    made: Receiver<Result<Vec<f32>, Error>>,
    used: Sender<Vec<f32>>,
    shape: &'a [usize],
    device: Device,
}

impl Loader<'_> {
    /// The next batch of `examples` inputs as one tensor (batch, channels, bands, frames).
    pub(crate) fn next(&self, examples: usize) -> Result<Tensor, Error> {
        let ended = || Error::LengthMismatch { what: "batches", got: 0, expected: 1 };
        let values = self.made.recv().map_err(|_| ended())??;
        let tensor = batch_tensor(&values, examples, self.shape, self.device)?;
        // The maker has ended where nobody takes the buffer.
        let _ = self.used.send(values);
        Ok(tensor)
    }
}

/// Runs `work` while a thread makes the inputs of `batches`, which `work` asks for one after the other.
///
/// What `work` does not ask for is not an error; the values do not depend on how far ahead the thread is.
pub(crate) fn loading<'b, T>(
    inputs: &dyn Inputs,
    batches: impl Iterator<Item = &'b [usize]> + Send,
    draw: Draw,
    device: Device,
    work: impl FnOnce(&Loader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let (making, made) = sync_channel(AHEAD);
    let (used, returned) = channel();
    let loader = Loader { made, used, shape: inputs.shape(), device };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for indices in batches {
                let mut values: Vec<f32> = returned.try_recv().unwrap_or_default();
                let batch = write_batch(inputs, indices, draw, &mut values).map(|()| values);
                let last = batch.is_err();
                // Nobody waits any more, or nothing can follow.
                if making.send(batch).is_err() || last {
                    return;
                }
            }
        });
        // By value: the thread waits for the loader's end, and the scope for the thread's.
        let loader = loader;
        work(&loader)
    })
}

/// The inputs of one batch without a thread.
pub(crate) fn one_batch(
    inputs: &dyn Inputs,
    indices: &[usize],
    draw: Draw,
    device: Device,
) -> Result<Tensor, Error> {
    let mut values = Vec::new();
    write_batch(inputs, indices, draw, &mut values)?;
    batch_tensor(&values, indices.len(), inputs.shape(), device)
}

fn write_batch(
    inputs: &dyn Inputs,
    indices: &[usize],
    draw: Draw,
    values: &mut Vec<f32>,
) -> Result<(), Error> {
    let size: usize = inputs.shape().iter().product();
    values.clear();
    values.resize(size * indices.len(), 0.0);
    for (&index, out) in indices.iter().zip(values.chunks_exact_mut(size.max(1))) {
        inputs.write_input(index, draw, out).map_err(|source| Error::Example { index, source })?;
        if !out.iter().all(|value| value.is_finite()) {
            return Err(Error::NonFiniteInput { index });
        }
    }
    Ok(())
}

fn batch_tensor(values: &[f32], examples: usize, shape: &[usize], device: Device) -> Result<Tensor, Error> {
    let shape: Vec<i64> =
        std::iter::once(examples).chain(shape.iter().copied()).map(|axis| axis as i64).collect();
    Ok(Tensor::f_from_slice(values)?.f_reshape(&shape[..])?.f_to(device)?)
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};
    use std::time::Duration;

    use super::*;

    /// Example `i` is the number `i`; the one that is broken fails.
    #[derive(Default)]
    struct Numbers {
        broken: Option<usize>,
        written: Mutex<usize>,
        more: Condvar,
    }

    impl Numbers {
        /// Waits until so many examples were written.
        fn wait(&self, count: usize) {
            let written = self.written.lock().unwrap();
            let limit = Duration::from_secs(60);
            let waited = self.more.wait_timeout_while(written, limit, |written| *written < count).unwrap().1;
            assert!(!waited.timed_out(), "nothing is loaded while a step works");
        }
    }

    impl Inputs for Numbers {
        fn len(&self) -> usize {
            64
        }

        fn shape(&self) -> &[usize] {
            &[1, 1, 1]
        }

        fn write_input(
            &self,
            index: usize,
            _draw: Draw,
            out: &mut [f32],
        ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            if self.broken == Some(index) {
                return Err("it cannot be read".into());
            }
            out.fill(index as f32);
            *self.written.lock().unwrap() += 1;
            self.more.notify_all();
            Ok(())
        }
    }

    const DRAW: Draw = Draw { seed: 0, epoch: 0 };

    /// The sums of the first batches of 8, from the last example to the first.
    fn sums(numbers: &Numbers, count: usize, step: impl Fn(usize)) -> Result<Vec<f64>, Error> {
        let order: Vec<usize> = (0..64).rev().collect();
        loading(numbers, order.chunks(8), DRAW, Device::Cpu, |loader| {
            (0..count)
                .map(|number| {
                    let batch = loader.next(8)?;
                    assert_eq!(batch.size(), [8, 1, 1, 1]);
                    step(number);
                    Ok(batch.f_sum(tch::Kind::Double)?.f_double_value(&[])?)
                })
                .collect()
        })
    }

    #[test]
    fn batches_come_in_order_and_may_be_left() {
        let expected: Vec<f64> = (0..8).map(|batch| 8.0 * 59.5 - 64.0 * f64::from(batch)).collect();
        for count in [8, 3, 0] {
            assert_eq!(sums(&Numbers::default(), count, |_| ()).unwrap(), expected[..count]);
        }
    }

    #[test]
    fn an_example_that_fails_is_told_when_its_batch_is_asked_for() {
        let numbers = Numbers { broken: Some(20), ..Numbers::default() };
        assert_eq!(sums(&numbers, 5, |_| ()).unwrap().len(), 5);
        assert!(matches!(sums(&numbers, 8, |_| ()).unwrap_err(), Error::Example { index: 20, .. }));
    }

    #[test]
    fn two_batches_are_loaded_while_a_step_works() {
        let numbers = Numbers::default();
        // Each step waits for the two batches after its own: one after the other they would wait for ever.
        sums(&numbers, 8, |step| numbers.wait((8 * (step + 3)).min(64))).unwrap();
    }
}
