/* Allocations that fail when told to: everything by which the project's own code gets memory, mappings, threads or
 * streams, replaced at link time (failing_link_args in meson.build). Calls are counted over all threads. */
#ifndef GRETA_TEST_FAILING_H
#define GRETA_TEST_FAILING_H

/* Starts counting anew; call number `nth` (from 1) fails, 0: none. */
void failing_arm(unsigned long nth);

/* Calls since failing_arm. */
unsigned long failing_calls(void);

/* What failed: "malloc", ...; or NULL when nothing has. */
const char *failing_name(void);

/* Mappings made and not undone. */
long failing_mappings(void);

#endif
