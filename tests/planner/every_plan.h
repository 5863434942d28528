/* Plans of one small model for every kind of target and in every fusion, for tests that damage them. */
#ifndef GRETA_TESTS_EVERY_PLAN_H
#define GRETA_TESTS_EVERY_PLAN_H

#include "small_model.h"

enum { EVERY_TARGET = 3, EVERY_FORM = 3, STAMPED = 2 }; /* forms: enum greta_fuse, then fused with stamps */

extern const char *const every_target[EVERY_TARGET];

struct every_plan {
	struct small_model model;
	struct greta_plan_image images[EVERY_TARGET][EVERY_FORM];
};

void every_plan_init(struct every_plan *plans);
void every_plan_finish(struct every_plan *plans);

#endif
