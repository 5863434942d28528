#include "every_plan.h"

const char *const every_target[EVERY_TARGET] = {"cpu", "gfx942", "sm_90"};

void every_plan_init(struct every_plan *plans)
{
	small_model_open(&plans->model, "embd=256,layers=2,heads=4,kv=2,ffn=256,vocab=260,ctx=100", "Q4_K_M");
	for (size_t t = 0; t < EVERY_TARGET; t++) {
		for (uint32_t fuse = 0; fuse < STAMPED; fuse++)
			plans->images[t][fuse] = small_model_plan_for(&plans->model, every_target[t], fuse);
		plans->images[t][STAMPED] = small_model_plan_stamped(&plans->model, every_target[t]);
	}
}

void every_plan_finish(struct every_plan *plans)
{
	for (size_t t = 0; t < EVERY_TARGET; t++)
		for (size_t form = 0; form < EVERY_FORM; form++)
			greta_plan_image_finish(&plans->images[t][form]);
	small_model_close(&plans->model);
}
