/* Makes a plan's weights reachable for the device: the regions WEIGHTS and MODEL.
 *
 * A device that maps host memory reads both where they are mapped: MODEL is the GGUF file itself, WEIGHTS the packed
 * file (runtime/packed_file.h) in the cache folder, made once, and made again where it turns out to be damaged: each of
 * the pieces that a region is cut into (runtime/pieces.h) is hashed when it is laid out, and again where `check` asks
 * for it. Without a cache that can be written, WEIGHTS is laid out in memory. Any other device gets both copied into
 * its memory. */
#ifndef GRETA_RUNTIME_WEIGHTS_H
#define GRETA_RUNTIME_WEIGHTS_H

#include "models/gguf.h"
#include "runtime/greta.h"
#include "runtime/hip.h"
#include "runtime/packed_file.h"
#include "runtime/plan.h"

struct greta_resident_weights {
	void *weights_base; /* device address of region WEIGHTS */
	void *model_base;   /* and of MODEL; NULL when the plan does not use it */

	/* For statistics. */
	double pack_ms, upload_ms;
	bool reused;                        /* the packed file was there */
	uint64_t mapped_bytes;
	uint64_t device_bytes, host_bytes;  /* allocated of the device's memory; of the host's */

	/* What to release. */
	const struct greta_hip *hip;
	struct greta_packed_file packed;
	void *registered_weights, *registered_model; /* host addresses */
	void *host_weights;                 /* hipHostMalloc */
	void *device_weights, *device_model; /* hipMalloc */
};

struct greta_weights_options {
	const char *cache_folder;  /* NULL: none */
	uint64_t cache_bytes;      /* what it may take of the disk */
	unsigned threads;          /* that lay out; 0: one for each processor */
	bool force_upload;
	bool check;                /* read all of a packed file that is there, not its header alone */
	greta_progress *progress;  /* "packing weights", "checking weights" or "uploading weights"; may be NULL */
	greta_warning *warn;       /* when the packed file is damaged or cannot be kept; may be NULL */
	void *progress_user;
};

/* `gguf` must be the plan's model and stay open, the plan stay mapped. FORMAT (the plan's tensors do not lie in the
 * model), MEMORY, DEVICE. */
enum greta_status greta_resident_weights_init(struct greta_resident_weights *weights, const struct greta_hip *hip,
					      const struct greta_plan *plan, const struct greta_gguf *gguf,
					      const struct greta_weights_options *options, struct greta_error *error);

/* No work that reads them may be enqueued any more. */
void greta_resident_weights_finish(struct greta_resident_weights *weights);

#endif
