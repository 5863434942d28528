/* A model small enough to be foretold: what it says next is a hash of all tokens so far, of its weights and of the
 * sampling settings. It comes with a hand-made plan and its own kernels, so that a session can be tested without
 * planner and real kernels, and every token and logit be known in advance. */
#ifndef GRETA_TEST_TOY_H
#define GRETA_TEST_TOY_H

#include "kernels/cpu/module.h"
#include "runtime/session.h"
#include "tests/models/gguf_builder.h"

#define TOY_VOCAB 97
#define TOY_CONTEXT 64
#define TOY_BAD_TOKEN 13 /* logits behind it are not finite; the model never says it */

struct toy {
	struct builder builder;      /* the GGUF file */
	struct greta_plan_header header;
	struct greta_plan_tensor tensors[3];
	struct greta_plan_program programs[3]; /* decode, prefill of 4 and of 16 */
	struct greta_plan_launch launches[6];
	struct greta_plan_reloc relocs[6 * 9];
	uint8_t args[1024];
	uint8_t constants[64];
	char strings[256];
	struct greta_plan plan;      /* of all that */
	uint64_t weight_hash;        /* what the kernels make of the weights */
};

extern const struct greta_cpu_module toy_module;

/* Launches of each program so far, by chunk length (1, 4, 16), in this process. */
unsigned long toy_launches(uint32_t chunk);

void toy_init(struct toy *toy);
void toy_finish(struct toy *toy);

/* A source for greta_session_open; `options` stay the caller's. Its gguf is opened anew; toy_close_source closes what a
 * failed open left behind. */
struct greta_session_source toy_source(struct toy *toy, const struct greta_options *options);
void toy_close_source(struct greta_session_source *source);

/* What follows `count` tokens. */
uint32_t toy_next(const struct toy *toy, const int32_t *tokens, size_t count, const struct greta_sampling *sampling);
float toy_logit(const struct toy *toy, const int32_t *tokens, size_t count, uint32_t index);

#endif
