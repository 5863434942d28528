/* Proves that a plan is harmless: that no launch of it, at any state the runtime can reach, reads or writes a byte it
 * was not given, or reads a byte of the arena that its program has not written before.
 *
 * Harmless is not right: that a plan computes its model is not proven. A launch may read another layer's tensor of the
 * same shape, and constants (the rotary frequencies) and exponents are compared with nothing.
 *
 * It lives beside the plan's reader because the runtime asks it at load; the planner asks it about every plan it makes.
 * It knows kernels/abi.h and runtime/plan.h only and shares nothing with the planner, so that an error there is found
 * here. What it takes for granted: the kernels touch what abi.h says, and greta_plan_open* has passed. */
#ifndef GRETA_VERIFY_H
#define GRETA_VERIFY_H

#include "models/gguf.h"
#include "runtime/plan.h"

/* Checks, for every launch: arguments against the model's dimensions, the program's chunk, the context and each other;
 * the tensors' shapes, layouts and exponents; the range behind each pointer, as far as the kernel goes, inside its
 * object; outputs apart from inputs; grid, block and shared memory. For every program: each range of the arena that is
 * read was written before by the same buffer and not overwritten since; lifetimes are those of the launches; K and V
 * caches are written before they are read; it samples once and advances once. FORMAT, naming launch and field;
 * UNSUPPORTED for a target that this build does not know; MEMORY. Takes milliseconds. */
enum greta_status greta_verify_plan(const struct greta_plan *plan, struct greta_error *error);

/* Checks that the plan was made for this very model: fingerprint, size, each tensor's name, type, shape and place, and
 * the eps of every launch that has a norm. MISMATCH, saying what differs and what to do; FORMAT for a model without
 * eps. */
enum greta_status greta_verify_model(const struct greta_plan *plan, const struct greta_gguf *gguf,
				     struct greta_error *error);

#endif
