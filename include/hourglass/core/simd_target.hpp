// How one function body becomes code for several instruction sets in one program.
//
// A compiler emits AVX-512 only inside functions that say so, and inlines such a function only into others that say so
// too. HOURGLASS_SIMD(head, body) therefore writes a template over the vector type V once for each instruction set:
//
//   HOURGLASS_SIMD(V softsign(V x), { return x / (V(1) + abs(x)); })
//
// HOURGLASS_SIMD_FUNCTION does the same for a body that is too long to be inlined wherever it is used.
//
// Overload resolution picks the copy that belongs to V, and everything ends up inlined in one function per instruction
// set, which dispatch() in simd.hpp chooses at run time. No flag is asked of the user, and no inline function depends
// on the flags that its translation unit was compiled with.
#pragma once

#include "hourglass/core/isa.hpp"

#ifdef __GNUC__
#define HOURGLASS_INLINE __attribute__((always_inline)) inline
#define HOURGLASS_UNROLL _Pragma("GCC unroll 16")
/// Asks for a cache line that will be read soon; the address need not be valid.
#define HOURGLASS_PREFETCH(address) __builtin_prefetch(reinterpret_cast<const void*>(address))
/// The same, but no nearer than the second-level cache.
#define HOURGLASS_PREFETCH_L2(address) __builtin_prefetch(reinterpret_cast<const void*>(address), 0, 2)
#else
#define HOURGLASS_INLINE inline
#define HOURGLASS_UNROLL
#define HOURGLASS_PREFETCH(address) static_cast<void>(address)
#define HOURGLASS_PREFETCH_L2(address) static_cast<void>(address)
#endif

// One list of features per instruction set, the same text everywhere, so that functions inline into each other. Other
// compilers know the intrinsics everywhere and need no attribute.
#if defined(HOURGLASS_X86) && defined(__GNUC__)
#define HOURGLASS_AVX2 __attribute__((target("avx2,fma")))
#define HOURGLASS_AVX2_INLINE __attribute__((target("avx2,fma"), always_inline)) inline
#if (defined(__clang__) && __clang_major__ >= 18 && __clang_major__ <= 21) || \
    (!defined(__clang__) && __GNUC__ >= 14 && __GNUC__ <= 15)
#define HOURGLASS_AVX512_FEATURES "avx512f,evex512,avx2,fma"
#else
#define HOURGLASS_AVX512_FEATURES "avx512f,avx2,fma"
#endif
#define HOURGLASS_AVX512 __attribute__((target(HOURGLASS_AVX512_FEATURES)))
#define HOURGLASS_AVX512_INLINE __attribute__((target(HOURGLASS_AVX512_FEATURES), always_inline)) inline
#elif defined(HOURGLASS_X86)
#define HOURGLASS_AVX2
#define HOURGLASS_AVX2_INLINE inline
#define HOURGLASS_AVX512
#define HOURGLASS_AVX512_INLINE inline
#endif

namespace hourglass::simd {

/// One lane: scalars, fused on every machine. Its bits are those of the instruction sets with FMA.
struct Single {};
/// What every machine has: 16 bytes under gcc and clang.
struct Portable {};
struct Neon {};
struct Avx2 {};
struct Avx512 {};

/// `lanes` numbers that are added, multiplied and compared at once.
template <class Scalar, class Tier>
struct Vector;

template <class V>
inline constexpr bool is_avx2 = false;
template <class Scalar>
inline constexpr bool is_avx2<Vector<Scalar, Avx2>> = true;
template <class V>
inline constexpr bool is_avx512 = false;
template <class Scalar>
inline constexpr bool is_avx512<Vector<Scalar, Avx512>> = true;
template <class V>
inline constexpr bool is_baseline = false;
template <class Scalar>
inline constexpr bool is_baseline<Vector<Scalar, Single>> = true;
template <class Scalar>
inline constexpr bool is_baseline<Vector<Scalar, Portable>> = true;
template <class Scalar>
inline constexpr bool is_baseline<Vector<Scalar, Neon>> = true;

template <class V>
concept Avx2Vector = is_avx2<V>;
template <class V>
concept Avx512Vector = is_avx512<V>;
template <class V>
concept BaselineVector = is_baseline<V>;

}  // namespace hourglass::simd

#ifdef __GNUC__
#define HOURGLASS_NOINLINE __attribute__((noinline))
#else
#define HOURGLASS_NOINLINE
#endif

// clang-format off
#ifdef HOURGLASS_X86
#define HOURGLASS_SIMD(head, ...)                                                                   \
  template <::hourglass::simd::Avx512Vector V> HOURGLASS_AVX512_INLINE head __VA_ARGS__             \
  template <::hourglass::simd::Avx2Vector V> HOURGLASS_AVX2_INLINE head __VA_ARGS__                 \
  template <::hourglass::simd::BaselineVector V> HOURGLASS_INLINE head __VA_ARGS__
#define HOURGLASS_SIMD_FUNCTION(head, ...)                                                          \
  template <::hourglass::simd::Avx512Vector V> HOURGLASS_AVX512 HOURGLASS_NOINLINE head __VA_ARGS__ \
  template <::hourglass::simd::Avx2Vector V> HOURGLASS_AVX2 HOURGLASS_NOINLINE head __VA_ARGS__     \
  template <::hourglass::simd::BaselineVector V> HOURGLASS_NOINLINE head __VA_ARGS__
#else
#define HOURGLASS_SIMD(head, ...) \
  template <::hourglass::simd::BaselineVector V> HOURGLASS_INLINE head __VA_ARGS__
#define HOURGLASS_SIMD_FUNCTION(head, ...) \
  template <::hourglass::simd::BaselineVector V> HOURGLASS_NOINLINE head __VA_ARGS__
#endif
// clang-format on
