/* A libamdhip64 for tests: a shared library that exports HIP's names and passes every call on to another table. What
 * the `amd` provider does with it can be seen without AMD's library. Built three times: as ROCm 6 and 7 have it
 * (fake-amd), with the properties call of ROCm 5 (fake-amd-5), and without hipGraphGetNodes (fake-amd-lacking). */
#ifndef GRETA_TEST_FAKE_AMD_H
#define GRETA_TEST_FAKE_AMD_H

#include "runtime/hip.h"

/* The library's variable `fake_amd`, found by dlsym. */
struct fake_amd {
	const struct greta_hip *inner; /* where calls go; NULL: every one returns hipErrorNoDevice */
	char architecture[256];        /* what the properties call writes */
};

#endif
