/* A provider that wraps another and keeps books: what was acquired of it and has not been given back, and the most
 * memory that was allocated at one time.
 *
 * Whoever gives something back has done their part, whatever the call returns: it leaves the books. HIP's calls carry
 * no context, so there is one set of books in a process; ledger_wrap opens it anew. Any thread may call the wrapped
 * table. */
#ifndef GRETA_TEST_LEDGER_H
#define GRETA_TEST_LEDGER_H

#include "runtime/hip.h"

/* Fills *out_hip with calls that go to `inner`, which must stay. *out_hip is not to be unloaded; `inner` is. */
void ledger_wrap(const struct greta_hip *inner, struct greta_hip *out_hip);

/* How much is held: memory of the device and of the host, registered memory, streams, events, captures, graphs,
 * executable graphs, modules. `out_text` [size] lists them in words ("2 events, 1 graph"), "" for none; may be NULL. */
size_t ledger_held(char *out_text, size_t size);

/* What was given back without being held, or twice. */
unsigned long ledger_wrong(void);

/* Bytes: the most that was allocated at one time by hipMalloc, by hipHostMalloc. */
size_t ledger_device_peak(void);
size_t ledger_host_peak(void);

/* Bytes allocated by hipHostMalloc now. */
size_t ledger_host_bytes(void);

#endif
