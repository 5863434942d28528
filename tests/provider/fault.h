/* A provider that wraps another: it counts and names the calls, and fails the one it is told to.
 *
 * HIP's calls carry no context, so there is one wrapper in a process; fault_wrap starts it anew. Any thread may call
 * the wrapped table. hipGetErrorName and hipGetErrorString pass through uncounted, hipGetLastError is counted but never
 * fails, since its result is no failure of its own. hipEventQuery and hipStreamQuery, which a caller may ask any number
 * of times, are counted by their name alone. A call that gives something back (hipFree, hipEventDestroy, the end of a
 * capture, …) does so also when it is told to fail: as where an earlier failure is reported late, and so that the inner
 * provider can be used on. */
#ifndef GRETA_TEST_FAULT_H
#define GRETA_TEST_FAULT_H

#include "runtime/hip.h"

/* Fills *out_hip with calls that go to `inner`, which must stay. Forgets counts, names and faults. *out_hip is not to
 * be unloaded; `inner` is. */
void fault_wrap(const struct greta_hip *inner, struct greta_hip *out_hip);

/* From now on, call number `nth` (from 1, counted since fault_wrap) returns `code` and is not passed on,
 * unless it gives something back; 0: none. */
void fault_fail_nth(unsigned long nth, hipError_t code);

/* The same, counting only calls of this name ("hipMalloc"; NULL: none). */
void fault_fail_nth_of(const char *name, unsigned long nth, hipError_t code);

/* Whether calls of this name give something back. */
bool fault_gives_back(const char *name);

/* Calls since fault_wrap, of all names or of one. */
unsigned long fault_count(void);
unsigned long fault_count_of(const char *name);

/* The name of call `nth` (from 1), or NULL when there was none or it is beyond the 65,536 that are kept. */
const char *fault_name(unsigned long nth);

/* How many calls were made to fail. */
unsigned long fault_injected(void);

#endif
