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

/// Implements [`Simd`] by intrinsics.
macro_rules! simd {
    ($name:ty, $vector:ty, $lanes:literal, $columns:literal, $rows:literal, $load:ident, $store:ident,
     $splat:ident, $fma:ident, $add:ident, $sub:ident, $mul:ident, $max:ident) => {
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
            unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $max(a, b) }
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
    _mm512_max_ps
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
    _mm256_max_ps
);
