#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
// Clang's OpenMP library never frees what belongs to its threads.
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() { return "leak:libomp"; }
#endif
#endif
