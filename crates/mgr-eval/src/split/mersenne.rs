//! MT19937 as CPython's `random` and NumPy's legacy `RandomState` use it, for splits that published studies drew with them.
//!
//! The generator is that of Matsumoto and Nishimura, "Mersenne twister", ACM Trans. Model. Comput. Simul. 8 (1998). What differs
//! between the two libraries is how they are seeded and how they draw a number below a bound; both are fixed by their documentation
//! (CPython's `random`, NumPy NEP 19, which freezes `RandomState`).

const STATE: usize = 624;
const SHIFT: usize = 397;

/// The bare generator.
#[derive(Clone)]
struct Mersenne {
    state: [u32; STATE],
    next: usize,
}

impl Mersenne {
    /// `init_genrand` of the authors.
    fn seeded(seed: u32) -> Self {
        let mut state = [0; STATE];
        let mut word = seed;
        for (i, place) in state.iter_mut().enumerate() {
            *place = word;
            word = 1_812_433_253_u32.wrapping_mul(word ^ (word >> 30)).wrapping_add(i as u32 + 1);
        }
        Self { state, next: STATE }
    }

    /// `init_by_array` of the authors.
    fn keyed(key: &[u32]) -> Self {
        let mut state = Self::seeded(19_650_218).state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..STATE.max(key.len()) {
            let before = state[i - 1];
            let mixed = state[i] ^ (before ^ (before >> 30)).wrapping_mul(1_664_525);
            state[i] = mixed.wrapping_add(key[j]).wrapping_add(j as u32);
            i += 1;
            j = (j + 1) % key.len();
            if i == STATE {
                state[0] = state[STATE - 1];
                i = 1;
            }
        }
        for _ in 1..STATE {
            let before = state[i - 1];
            let mixed = state[i] ^ (before ^ (before >> 30)).wrapping_mul(1_566_083_941);
            state[i] = mixed.wrapping_sub(i as u32);
            i += 1;
            if i == STATE {
                state[0] = state[STATE - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        Self { state, next: STATE }
    }

    fn twist(&mut self) {
        for i in 0..STATE {
            let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % STATE] & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % STATE] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next == STATE {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// 53 bits in `[0, 1)`, the same in both libraries.
    fn unit(&mut self) -> f64 {
        let (high, low) = (self.word() >> 5, self.word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }
}

/// The draws of CPython's module `random`, seeded by an integer.
///
/// ```
/// use mgr_eval::split::PythonRandom;
///
/// let mut items: Vec<usize> = (0..6).collect();
/// PythonRandom::new(0).shuffle(&mut items);
/// assert_eq!(items, [4, 2, 0, 1, 5, 3]); // random.seed(0); random.shuffle(items)
/// ```
#[derive(Clone)]
pub struct PythonRandom(Mersenne);

impl PythonRandom {
    /// `random.seed(seed)`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        Self(if high == 0 { Mersenne::keyed(&[low]) } else { Mersenne::keyed(&[low, high]) })
    }

    /// `random.random()`.
    pub fn random(&mut self) -> f64 {
        self.0.unit()
    }

    /// `random.randrange(bound)`; 0 for a bound of 0, which Python refuses.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        let bits = usize::BITS - bound.leading_zeros();
        loop {
            let value = self.bits(bits);
            if value < bound as u64 {
                return value as usize;
            }
        }
    }

    /// `random.getrandbits(bits)` for 1 to 64 bits.
    fn bits(&mut self, bits: u32) -> u64 {
        if bits <= 32 {
            return u64::from(self.0.word() >> (32 - bits));
        }
        let low = u64::from(self.0.word());
        low | (u64::from(self.0.word() >> (64 - bits.min(64))) << 32)
    }

    /// `random.shuffle(items)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }

    /// `random.sample(range(population), count)`; at most the population.
    pub fn sample(&mut self, population: usize, count: usize) -> Vec<usize> {
        let count = count.min(population);
        let mut result = Vec::with_capacity(count);
        // CPython keeps a pool where that is smaller than a set, and the two draw differently.
        let mut set_size = 21.0;
        if count > 5 {
            set_size += 4_f64.powf((3.0 * count as f64).log(4.0).ceil());
        }
        if population as f64 <= set_size {
            let mut pool: Vec<usize> = (0..population).collect();
            for i in 0..count {
                let j = self.below(population - i);
                result.push(pool[j]);
                pool[j] = pool[population - i - 1];
            }
        } else {
            let mut taken = std::collections::BTreeSet::new();
            while result.len() < count {
                let j = self.below(population);
                if taken.insert(j) {
                    result.push(j);
                }
            }
        }
        result
    }
}

impl std::fmt::Debug for PythonRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PythonRandom")
    }
}

/// The draws of NumPy's legacy `RandomState`, as scikit-learn uses it for `random_state=seed`.
///
/// ```
/// use mgr_eval::split::NumpyRandom;
///
/// assert_eq!(NumpyRandom::new(0).permutation(5), [2, 0, 1, 3, 4]); // np.random.RandomState(0).permutation(5)
/// ```
#[derive(Clone)]
pub struct NumpyRandom(Mersenne);

impl NumpyRandom {
    /// `RandomState(seed)`.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self(Mersenne::seeded(seed))
    }

    /// `random_sample()`.
    pub fn random(&mut self) -> f64 {
        self.0.unit()
    }

    /// A draw from `0..=largest` by masked rejection, which is how all legacy integers are drawn.
    fn up_to(&mut self, largest: usize) -> usize {
        let largest = largest as u64;
        if largest == 0 {
            return 0;
        }
        let mask = u64::MAX >> largest.leading_zeros();
        loop {
            let value = if largest <= u64::from(u32::MAX) {
                u64::from(self.0.word()) & mask
            } else {
                ((u64::from(self.0.word()) << 32) | u64::from(self.0.word())) & mask
            };
            if value <= largest {
                return value as usize;
            }
        }
    }

    /// `randint(low, high)`; `low` for an empty range, which NumPy refuses.
    pub fn randint(&mut self, low: usize, high: usize) -> usize {
        low + self.up_to(high.saturating_sub(low).saturating_sub(1))
    }

    /// `shuffle(items)` of a list or an array of one axis.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.up_to(last);
            items.swap(last, other);
        }
    }

    /// `permutation(count)`.
    pub fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..count).collect();
        self.shuffle(&mut items);
        items
    }

    /// `choice(population, size, replace=True)`.
    pub fn choice(&mut self, population: usize, size: usize) -> Vec<usize> {
        (0..size).map(|_| self.randint(0, population)).collect()
    }

    /// `choice(population, size, replace=False)`; at most the population.
    pub fn choice_without_replacement(&mut self, population: usize, size: usize) -> Vec<usize> {
        let mut items = self.permutation(population);
        items.truncate(size);
        items
    }
}

impl std::fmt::Debug for NumpyRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NumpyRandom")
    }
}
