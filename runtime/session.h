/* A session from the inside: a plan and its model, made ready on a device, and the one sequence of tokens that runs
 * there. runtime/greta.h says what its users see; this header is for the files that implement it and for the tools.
 *
 *	session.c    opens and closes
 *	sequence.c   appends to the sequence: prompts, generation, logits
 *	device.c     the device's memory, its state, and one step of it
 *	vocabulary.c text and tokens
 *	observe.c    what a step leaves behind
 *	stamps.c     the time stamps of plans that write them */
#ifndef GRETA_SESSION_H
#define GRETA_SESSION_H

#include "kernels/abi.h"
#include "models/gguf.h"
#include "models/tokenizer.h"
#include "runtime/greta.h"
#include "runtime/hip.h"
#include "runtime/plan.h"
#include "runtime/programs.h"
#include "runtime/ranges.h"
#include "runtime/timeline.h"
#include "runtime/weights.h"

/* What a session is opened from. */
struct greta_session_source {
	struct greta_plan plan;       /* open; the session's after success */
	void *plan_memory;            /* likewise: what a plan that is no mapped file lies in; from malloc; or NULL */
	struct greta_gguf *gguf;      /* likewise */
	const char *plan_path;        /* "" for none */
	const struct greta_options *options; /* never NULL; what is planned by has been checked already */
	const char *cache_folder;     /* NULL: none */
	double started_ms;            /* greta_clock_ms when all began */
	double model_ms, plan_ms;     /* for statistics */
	bool plan_reused;
	struct greta_hip *hip;        /* loaded; NULL: the session loads what options->provider and the plan want */
	bool give_hip;                /* `hip` is the session's after success; else it stays the caller's */

	/* For tests; NULL and false otherwise. */
	const void *image;            /* instead of the target's kernels */
	bool unchecked;               /* the plan is a made-up one that no verifier would pass */
};

/* Opens. On failure plan and model stay the caller's. Errors as of greta_open. */
enum greta_status greta_session_open(const struct greta_session_source *source, struct greta **out_greta,
				     struct greta_error *error);

/* Changes from graphs to eager launches or back, for steps enqueued from now on. */
void greta_session_set_eager(struct greta *greta, bool eager);

/* Whom greta_feed tells from now on, as options.progress was told;
 * NULL: nobody, and steps no longer wait for each other. */
void greta_session_set_progress(struct greta *greta, greta_progress *progress, void *user);

/* From now on what the host does is added to the timeline, which was made for the session's plan and outlives it; NULL:
 * it no longer is. No step may have run before. */
void greta_session_set_timeline(struct greta *greta, struct greta_timeline *timeline);

const struct greta_plan *greta_session_plan(const struct greta *greta);

/* ---- What a step leaves behind ---- */

/* After greta_feed of no more tokens than one program takes, or greta_session_run_launches: the program that ran (its
 * index in the plan). */
size_t greta_session_last_program(const struct greta *greta);

/* The index in the plan's BUFFERS of the buffer of that name that `program` uses; false when there is none. */
bool greta_session_find_buffer(const struct greta *greta, size_t program, const char *name, size_t *out_buffer);

/* Waits for enqueued steps and copies `bytes` bytes from `offset` of a buffer. Its contents are what the step run last
 * left there: of an arena buffer its value only if that step's program has it and, the arena being shared, the plan was
 * made to keep all (greta_plan_options.keep_all). ARGUMENT (no such buffer or bytes), DEVICE. */
enum greta_status greta_session_read(struct greta *greta, size_t buffer, uint64_t offset, void *out, size_t bytes,
				     struct greta_error *error);

/* Fills the ARENA before a step, or the KV region before the first one, with a byte, so that what is read without
 * having been written, or not written at all, is seen. ARGUMENT (another region), DEVICE. */
enum greta_status greta_session_fill(struct greta *greta, enum greta_region region, uint8_t byte,
				     struct greta_error *error);

/* Runs the first `launches` launches of a program as a step that takes these tokens would, eagerly, and waits. The
 * sequence, which no step may have run ahead of, stays as it is. ARGUMENT (more tokens than the program or the context
 * take, more launches than it has), DEVICE. */
enum greta_status greta_session_run_launches(struct greta *greta, const int32_t *tokens, size_t count,
					     size_t program, uint32_t launches, struct greta_error *error);

/* ---- For the session's own files ---- */

#define GRETA_LOOKAHEAD_MAX 16
#define GRETA_SESSION_EVENTS 32 /* more than steps can be enqueued whose end is still waited for */

/* Device and host memory that a session allocates, besides the weights. */
struct greta_device_memory {
	void *kv, *arena, *state; /* device */
	void *io;                 /* host, mapped for the device: ring and logits */
	uint8_t *staging;         /* host, pinned: struct greta_state, then uint32_t tokens[context + 1] */
	uint64_t device_bytes, host_bytes;
};

struct greta {
	struct greta_plan plan;
	void *plan_memory;
	struct greta_gguf *gguf;
	struct greta_tokenizer *tokenizer;   /* NULL: tokenizer_error says why */
	struct greta_error tokenizer_error;
	struct greta_text_stream *text;      /* of a generation that goes on (GRETA_HOLD_TEXT), or NULL */

	struct greta_hip *hip;
	bool own_hip;
	bool in_place;                       /* the host shares the device's processors: wait, do not spin */
	hipModule_t module;
	hipStream_t stream;
	hipEvent_t events[GRETA_SESSION_EVENTS]; /* of the step that reaches position p: p % GRETA_SESSION_EVENTS */
	struct greta_resident_weights weights;
	struct greta_device_memory memory;
	struct greta_programs programs;
	size_t decode;                       /* index of the decode program */
	size_t last_program;                 /* of the step enqueued last */

	/* The sequence: memory.staging's tokens[0 .. length). The device's caches hold the first `position` of them,
	 * and, when position > length, tokens sampled ahead that nobody has taken yet. `stale`: the device's own state
	 * says something else and must be written before it steps again. */
	size_t length, position;
	bool stale;
	size_t fed;                          /* the length after the last feed: what follows it came with the prompt */
	struct greta_sampling sampling;
	bool broken;                         /* by a device error, which is: */
	struct greta_error broken_by;

	struct greta_ranges ranges;
	struct greta_timeline *timeline;     /* the caller's; NULL: none */

	bool eager;
	unsigned lookahead, chunk_tokens;
	greta_progress *progress;
	void *progress_user;

	double started_ms;
	struct greta_info info;
	char *strings;                       /* that info's pointers lead to */
	char device_name[128];
	struct greta_stats stats;
};

static inline uint32_t *greta_session_tokens(const struct greta *greta)
{
	return (uint32_t *)(void *)(greta->memory.staging + sizeof(struct greta_state));
}

/* device.c */

enum greta_status greta_device_memory_init(struct greta_device_memory *memory, const struct greta_hip *hip,
					   const struct greta_plan *plan, struct greta_error *error);
void greta_device_memory_finish(struct greta_device_memory *memory, const struct greta_hip *hip);

/* Waits for all enqueued steps. */
enum greta_status greta_session_drain(struct greta *greta, struct greta_error *error);

/* Waits for enqueued steps, then writes the device's state and tokens so that the next steps run tokens [start, end) of
 * the staging area and sample what follows them. */
enum greta_status greta_session_write_state(struct greta *greta, size_t start, size_t end, struct greta_error *error);

/* Enqueues one step of the program best for `remaining` tokens; *out_tokens is how many it takes. `position` moves. */
enum greta_status greta_session_step(struct greta *greta, size_t remaining, size_t *out_tokens,
                                     struct greta_error *error);

/* Waits until the token that follows `position` tokens has been sampled (its step must be enqueued). NUMBERS when the
 * logits there were not finite. */
enum greta_status greta_session_wait(struct greta *greta, size_t position, uint32_t *out_token,
                                     struct greta_error *error);

/* A call that failed on the device leaves a session that can only be closed. Returns `status`. */
enum greta_status greta_session_broke(struct greta *greta, enum greta_status status, const struct greta_error *error);

#endif
