/* Small synthetic models and their plans, for the tests of planner and plan. Everything asserts on failure. */
#ifndef GRETA_TESTS_SMALL_MODEL_H
#define GRETA_TESTS_SMALL_MODEL_H

#include "planner/planner.h"

struct small_model {
	char path[64];
	struct greta_gguf *gguf;
	struct greta_llama llama;
};

/* Writes a model of `shape` (models/synth.h) with the types of `mix` into a temporary file and opens it. */
void small_model_open(struct small_model *model, const char *shape, const char *mix);
void small_model_close(struct small_model *model);

/* A plan of it for the cpu, or for the target named, with the given fusion and prefill lengths 2 and 32. */
struct greta_plan_image small_model_plan(const struct small_model *model, uint32_t fuse);
struct greta_plan_image small_model_plan_for(const struct small_model *model, const char *target, uint32_t fuse);

/* The same, everything fused, with time stamps after each launch. */
struct greta_plan_image small_model_plan_stamped(const struct small_model *model, const char *target);

/* A copy, 64-byte aligned; the caller's. */
struct greta_plan_image copy_of(const struct greta_plan_image *image);

/* Makes the checksum fit again, so that what else is wrong must be found. */
void repair_checksum(struct greta_plan_image *image);

/* Opens and verifies: the first failure. */
enum greta_status accept(const struct greta_plan_image *image, struct greta_error *error);

#endif
