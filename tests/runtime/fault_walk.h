/* Walks through every HIP call that a session makes and lets it fail: each time one clear error, nothing held
 * afterwards, and the provider good for the next walk. */
#ifndef GRETA_TEST_FAULT_WALK_H
#define GRETA_TEST_FAULT_WALK_H

#include "runtime/hip.h"

struct fault_walk {
	const struct greta_hip *hip; /* loaded; the walk wraps it and uses it throughout */

	/* Everything that a session does, from opening to closing, by `hip`, until the first error, which it returns.
	 * It checks by itself that without an error the results are right. */
	enum greta_status (*run)(void *user, struct greta_hip *hip, struct greta_error *error);
	void *user;
	unsigned long step; /* 1: each call; n: each n-th, and the first and the last */
};

/* Runs without a fault, then with each call failing, then without a fault again. Fails the cmocka test, with the call
 * in words, when anything is not as said above. Returns how many faults were told. */
unsigned long walk_faults(const struct fault_walk *walk);

#endif
