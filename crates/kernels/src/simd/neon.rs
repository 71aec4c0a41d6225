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
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as above.
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as above; of a NaN and a number, `b`.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as above; of a NaN and a number, `b`.
        unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
    }
    #[inline(always)]
    unsafe fn if_less(a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V {
        // SAFETY: as above.
        unsafe { vbslq_f32(vcltq_f32(a, b), yes, no) }
    }
    #[inline(always)]
    unsafe fn pick(a: Self::V, places: Self::V) -> Self::V {
        // SAFETY: as above; the four bytes of each number are taken together.
        unsafe {
            let (bytes, four) = (vdupq_n_u32(0x0302_0100), vdupq_n_u32(0x0404_0404));
            let bytes = vmlaq_u32(bytes, vreinterpretq_u32_f32(places), four);
            let taken = vqtbl1q_u8(vreinterpretq_u8_f32(a), vreinterpretq_u8_u32(bytes));
            vreinterpretq_f32_u8(taken)
        }
    }
    #[inline(always)]
    unsafe fn power_of_two(a: Self::V) -> Self::V {
        // SAFETY: as above.
        unsafe {
            let exponent = vaddq_s32(vcvtq_s32_f32(a), vdupq_n_s32(127));
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent))
        }
    }
}
