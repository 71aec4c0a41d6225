//! AVX-512 and AVX2.

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// Sixteen lanes; 32 registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx512;

/// Eight lanes; 16 registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// Compiles `kernel` for AVX-512.
///
/// # Safety
///
/// The processor must have it.
#[target_feature(enable = "avx512f,avx2,fma")]
pub(crate) unsafe fn avx512(kernel: impl Kernel) {
    // SAFETY: the caller's promise.
    unsafe { kernel.call::<Avx512>() }
}

/// Compiles `kernel` for AVX2 with fused multiply-add.
///
/// # Safety
///
/// The processor must have both.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn avx2(kernel: impl Kernel) {
    // SAFETY: the caller's promise.
    unsafe { kernel.call::<Avx2>() }
}

#[inline(always)]
unsafe fn if_less_512(a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
    // SAFETY: the caller's promise; so below.
    unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes) }
}

#[inline(always)]
unsafe fn power_of_two_512(a: __m512) -> __m512 {
    // SAFETY: as above.
    unsafe {
        let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127));
        _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
    }
}

#[inline(always)]
unsafe fn if_less_256(a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
    // SAFETY: as above.
    unsafe { _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
}

#[inline(always)]
unsafe fn power_of_two_256(a: __m256) -> __m256 {
    // SAFETY: as above.
    unsafe {
        let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
    }
}

#[inline(always)]
unsafe fn pick_512(a: __m512, places: __m512) -> __m512 {
    // SAFETY: as above.
    unsafe { _mm512_permutexvar_ps(_mm512_castps_si512(places), a) }
}

#[inline(always)]
unsafe fn pick_256(a: __m256, places: __m256) -> __m256 {
    // SAFETY: as above.
    unsafe { _mm256_permutevar8x32_ps(a, _mm256_castps_si256(places)) }
}

/// Implements [`Simd`] by intrinsics.
macro_rules! simd {
    ($name:ty, $vector:ty, $lanes:literal, $columns:literal, $rows:literal, $load:ident, $store:ident,
     $splat:ident, $fma:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $max:ident, $min:ident,
     $if_less:ident, $power_of_two:ident, $pick:ident) => {
        // SAFETY: each intrinsic does what its method says.
        unsafe impl Simd for $name {
            type V = $vector;
            const LANES: usize = $lanes;
            const COLUMNS: usize = $columns;
            const ROWS: usize = $rows;

            #[inline(always)]
            unsafe fn load(source: *const f32) -> Self::V {
                // SAFETY: the caller's promise; so in all methods.
                unsafe { $load(source) }
            }
            #[inline(always)]
            unsafe fn store(target: *mut f32, value: Self::V) {
                // SAFETY: as above.
                unsafe { $store(target, value) }
            }
            #[inline(always)]
            unsafe fn splat(value: f32) -> Self::V {
                // SAFETY: as above.
                unsafe { $splat(value) }
            }
            #[inline(always)]
            unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $sub(a, b) }
            }
            #[inline(always)]
            unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $mul(a, b) }
            }
            #[inline(always)]
            unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $div(a, b) }
            }
            #[inline(always)]
            unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $max(a, b) }
            }
            #[inline(always)]
            unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $min(a, b) }
            }
            #[inline(always)]
            unsafe fn if_less(a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $if_less(a, b, yes, no) }
            }
            #[inline(always)]
            unsafe fn pick(a: Self::V, places: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $pick(a, places) }
            }
            #[inline(always)]
            unsafe fn power_of_two(a: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $power_of_two(a) }
            }
            #[inline(always)]
            unsafe fn prefetch(line: *const f32) {
                // SAFETY: nothing is read that could fail.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(line.cast()) }
            }
            #[inline(always)]
            unsafe fn prefetch_near(line: *const f32) {
                // SAFETY: as above.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
            }
        }
    };
}

simd!(
    Avx512,
    __m512,
    16,
    2,
    14,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    if_less_512,
    power_of_two_512,
    pick_512
);
simd!(
    Avx2,
    __m256,
    8,
    2,
    6,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    if_less_256,
    power_of_two_256,
    pick_256
);
