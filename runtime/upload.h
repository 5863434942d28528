/* Copies pieces of weights into device memory: laid out by host threads into pinned buffers, two for each thread, so
 * that layout and copy overlap. */
#ifndef GRETA_UPLOAD_H
#define GRETA_UPLOAD_H

#include "runtime/hip.h"
#include "runtime/pieces.h"

/* Largest piece worth making, and so about the size of a buffer. Small enough that pinning the buffers costs little: on
 * an H200 with 16 threads, greta-exec --stats of the Llama-2-7B shape, 1 MiB gives 33 GB/s, 2 MiB 31, 4 MiB 24, 512 KiB
 * 27. */
#define GRETA_UPLOAD_PIECE_BYTES (UINT64_C(1) << 20)

/* Brings every piece to its offset behind `base` and waits for it. `after(context)` as in runtime/share.h, may be NULL.
 * `done` counts bytes and may be read there. MEMORY, DEVICE. */
enum greta_status greta_upload(const struct greta_hip *hip, const struct greta_pieces *pieces, void *base,
                               unsigned threads, void (*after)(void *context), void *context, _Atomic(uint64_t) *done,
                               struct greta_error *error);

#endif
