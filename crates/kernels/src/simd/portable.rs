//! Vectors that any processor can do: the compiler uses what the architecture promises.

use super::Simd;

/// Four lanes; SSE2 on x86-64.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

const LANES: usize = 4;

#[inline(always)]
fn each(value: impl FnMut(usize) -> f32) -> [f32; LANES] {
    std::array::from_fn(value)
}

// SAFETY: it needs no special instructions; pointers are read and written unaligned.
unsafe impl Simd for Portable {
    type V = [f32; LANES];
    const LANES: usize = LANES;
    const COLUMNS: usize = 2;
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self::V {
        // SAFETY: the caller promises `LANES` numbers.
        unsafe { source.cast::<Self::V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(target: *mut f32, value: Self::V) {
        // SAFETY: the caller promises room for `LANES` numbers.
        unsafe { target.cast::<Self::V>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::V {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        each(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        each(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn if_less(a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V {
        each(|i| if a[i] < b[i] { yes[i] } else { no[i] })
    }
    #[inline(always)]
    unsafe fn pick(a: Self::V, places: Self::V) -> Self::V {
        each(|i| a[places[i].to_bits() as usize % LANES])
    }
    #[inline(always)]
    unsafe fn power_of_two(a: Self::V) -> Self::V {
        each(|i| f32::from_bits((a[i] as i32).wrapping_add(127).cast_unsigned() << 23))
    }
}
