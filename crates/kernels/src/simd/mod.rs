//! Vectors of `f32`, as wide as the processor has them.
//!
//! A [`Kernel`] is written once over [`Simd`]; [`Level::run`] compiles it for each instruction set
//! and calls the one that the processor has.

#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

pub(crate) use portable::Portable;

/// Arithmetic on vectors of `LANES` numbers.
///
/// # Safety
///
/// The methods may be called only on a processor that has the instructions, and inlined into a
/// function that is compiled for them. Pointers need no alignment.
pub(crate) unsafe trait Simd: Copy + 'static {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Vectors beside each other in a tile of a product.
    const COLUMNS: usize;
    /// Rows of a tile: with [`COLUMNS`](Self::COLUMNS), as many sums as fit the registers.
    const ROWS: usize;

    /// `LANES` numbers from `source`.
    unsafe fn load(source: *const f32) -> Self::V;
    /// `LANES` numbers to `target`.
    unsafe fn store(target: *mut f32, value: Self::V);
    /// The same number in every lane.
    unsafe fn splat(value: f32) -> Self::V;
    /// `a * b + c`, rounded once where the processor can.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a + b`.
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`.
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`.
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`.
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// The larger; of a NaN and a number, `b`.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; of a NaN and a number, `b`.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// `yes` where `a < b`, `no` elsewhere and of a NaN.
    unsafe fn if_less(a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// Each lane of `a` whose number is in the bits of `places`.
    unsafe fn pick(a: Self::V, places: Self::V) -> Self::V;
    /// 2 to the power of whole numbers between -126 and 127; of a NaN, any number.
    unsafe fn power_of_two(a: Self::V) -> Self::V;
    /// Asks for a line of memory that is needed later, into the second-level cache, if the processor can be asked.
    /// Any address will do.
    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}
    /// The same of a line that is needed next, into the first-level cache.
    #[inline(always)]
    unsafe fn prefetch_near(_: *const f32) {}
}

/// Work that is written over [`Simd`]. `call` must be `#[inline(always)]`, and all that it calls.
pub(crate) trait Kernel {
    /// Does the work.
    ///
    /// # Safety
    ///
    /// The processor must have the instructions of `S`.
    unsafe fn call<S: Simd>(self);
}

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// AVX-512F.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// What every processor of this architecture has.
    Portable,
}

impl Level {
    /// The widest that this processor has.
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| Self::all()[0])
    }

    /// All that this processor has, the widest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                all.push(Self::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        all.push(Self::Neon);
        all.push(Self::Portable);
        all
    }

    /// The name, as in `lscpu`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512f",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Numbers in a vector, vectors and rows in a tile.
    pub(crate) fn tile(self) -> Tiling {
        fn of<S: Simd>() -> Tiling {
            Tiling { lanes: S::LANES, columns: S::COLUMNS, rows: S::ROWS }
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => of::<x86::Avx512>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => of::<x86::Avx2>(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => of::<neon::Neon>(),
            Self::Portable => of::<Portable>(),
        }
    }

    /// Runs `kernel` with this instruction set.
    pub(crate) fn run(self, kernel: impl Kernel) {
        match self {
            // SAFETY: a `Level` comes from `all`, which asked the processor.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { x86::avx512(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::avx2(kernel) },
            // SAFETY: every processor of this architecture has NEON.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { kernel.call::<neon::Neon>() },
            // SAFETY: it uses no special instructions.
            Self::Portable => unsafe { kernel.call::<Portable>() },
        }
    }
}

/// The size of a tile of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tiling {
    pub lanes: usize,
    pub columns: usize,
    pub rows: usize,
}

impl Tiling {
    /// Columns of a whole panel of weights.
    pub(crate) fn width(self) -> usize {
        self.lanes * self.columns
    }
}
