/* A side at work: a session (or the oracle) that takes a text step by step
 * and has its values looked at after each step. */
#ifndef GRETA_BENCH_PARITY_SIDE_H
#define GRETA_BENCH_PARITY_SIDE_H

#include "bench/parity/setup.h"
#include "bench/parity/trace.h"
#include "runtime/session.h"

struct greta_oracle;
struct greta_llama;

struct greta_parity_side {
	struct greta_parity_setup setup;
	char text[GRETA_PARITY_SETUP_MAX]; /* of the setup, the kernels' form as it was chosen */
	uint32_t layers;
	uint32_t steps;              /* taken */
	struct greta *greta;         /* NULL: */
	struct greta_gguf *gguf;     /* the oracle's */
	struct greta_llama *llama;
	struct greta_oracle *oracle;
	uint32_t *place_of;          /* of each buffer of the plan; GRETA_PLAN_NONE for none */
	struct greta_parity_trace trace; /* of the run of positions that is looked at */
	struct greta_parity_trace again; /* of their repetition */
};

/* Opens the model for a text of `tokens` tokens in a context of `context`, looked at in runs of up to `room` positions.
 * Errors as of greta_open, ARGUMENT when the device is not the target asked for. */
enum greta_status greta_parity_side_open(const char *model, const struct greta_parity_setup *setup, uint32_t context,
					 size_t room, struct greta_parity_side *out_side, struct greta_error *error);

/* Also a zeroed one. */
void greta_parity_side_close(struct greta_parity_side *side);

/* Takes tokens [start, end) of the text, of `count`, and records them in the trace, which starts there: in steps as the
 * setup says. `repeat`: they were taken before; records in `again`. NUMBERS when logits are not finite: what was
 * computed until then is recorded nevertheless. Other errors as of greta_feed. */
enum greta_status greta_parity_side_take(struct greta_parity_side *side, const int32_t *tokens, size_t start,
					 size_t end, size_t count, bool repeat, struct greta_error *error);

/* Runs again the step that took `step`'s positions, but only the first `launches` launches of its program, and records
 * in `again` what its buffers hold then. The side is behind that step afterwards. Errors as of greta_feed. */
enum greta_status greta_parity_side_take_part(struct greta_parity_side *side, const int32_t *tokens,
					      const struct greta_parity_step *step, uint32_t launches,
					      struct greta_error *error);

#endif
