//! NEON.

use std::arch::aarch64::*;

use super::Simd;

/// Four lanes; 32 registers.
#[derive(Clone, Copy)]
pub(crate) struct Neon;

// SAFETY: each intrinsic does what its method says, and every processor of this architecture has
// them.
unsafe impl Simd for Neon {
    type V = float32x4_t;
    const LANES: usize = 4;
    const COLUMNS: usize = 4;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self::V {
        // SAFETY: the caller's promise; so in all methods.
        unsafe { vld1q_f32(source) }
    }
    #[inline(always)]
    unsafe fn store(target: *mut f32, value: Self::V) {
        // SAFETY: as above.
        unsafe { vst1q_f32(target, value) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::V {
        // SAFETY: as above.
        unsafe { vdupq_n_f32(value) }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as above.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as above.
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as above.
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as above.
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as above; of a NaN and a number, `b`.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
}
