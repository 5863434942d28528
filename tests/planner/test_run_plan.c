/* Plans compute: the same logits, to the bit, fused or not, in chunks or token by token, and not nothing. */
#include "run_plan.h"
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PROMPT 39
#define GENERATED 5
#define VOCAB 300

struct outcome {
	float logits[GENERATED][VOCAB];
	uint32_t tokens[PROMPT + GENERATED];
};

/* The programs with which the prompt is eaten, in turn; then decode. */
static struct outcome run(const struct small_model *model, uint32_t fuse, const uint32_t *programs, uint32_t count)
{
	struct greta_plan_image image = small_model_plan(model, fuse);
	struct greta_plan plan;
	struct greta_error error;
	struct plan_machine machine;
	struct outcome outcome;
	uint32_t prompt[PROMPT];
	for (uint32_t i = 0; i < PROMPT; i++)
		prompt[i] = (i * 77 + 5) % VOCAB;
	assert_int_equal(greta_plan_open_memory(image.data, image.size, &plan, &error), GRETA_OK);
	plan_machine_init(&machine, &plan, greta_gguf_data(model->gguf));
	plan_machine_prompt(&machine, prompt, PROMPT);
	for (uint32_t p = 0; plan_machine_state(&machine)->position < PROMPT; p++)
		plan_machine_step(&machine, programs[p % count]);
	for (uint32_t g = 0; g < GENERATED; g++) {
		memcpy(outcome.logits[g], plan_machine_logits(&machine), sizeof(outcome.logits[g]));
		plan_machine_step(&machine, 0);
	}
	memcpy(outcome.tokens, plan_machine_tokens(&machine), sizeof(outcome.tokens));
	assert_int_equal(plan_machine_state(&machine)->position, PROMPT + GENERATED);
	plan_machine_finish(&machine);
	greta_plan_image_finish(&image);
	return outcome;
}

static void same_bits_whatever_the_way(const char *shape, const char *mix)
{
	static const uint32_t decode[] = {0}, pairs[] = {1}, chunks[] = {2}, mixed[] = {1, 0, 2};
	struct small_model model;
	small_model_open(&model, shape, mix);
	struct outcome first = run(&model, GRETA_FUSE_NONE, decode, 1);
	float spread = 0;
	for (uint32_t i = 0; i < VOCAB; i++) {
		assert_true(isfinite(first.logits[0][i]));
		spread = fmaxf(spread, fabsf(first.logits[0][i] - first.logits[0][0]));
	}
	assert_true(spread > 1e-3f);
	assert_memory_not_equal(first.logits[0], first.logits[1], sizeof(first.logits[0]));
	for (uint32_t fuse = 0; fuse < 2; fuse++) {
		const struct outcome others[] = {
		    run(&model, fuse, decode, 1),
		    run(&model, fuse, pairs, 1),
		    run(&model, fuse, chunks, 1),
		    run(&model, fuse, mixed, 3),
		};
		for (size_t o = 0; o < 4; o++)
			assert_memory_equal(&others[o], &first, sizeof(first));
	}
	small_model_close(&model);
}

static void quantised_models_compute_the_same_bits(void **state)
{
	(void)state;
	same_bits_whatever_the_way("embd=256,layers=2,heads=8,kv=2,ffn=512,vocab=300,ctx=64", "Q4_K_M");
}

static void tied_models_compute_the_same_bits(void **state)
{
	(void)state;
	same_bits_whatever_the_way("embd=256,layers=2,heads=4,kv=4,ffn=256,vocab=300,ctx=50,tied=1,freqs=1", "F16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quantised_models_compute_the_same_bits),
	    cmocka_unit_test(tied_models_compute_the_same_bits),
	};
	return cmocka_run_group_tests_name("run-plan", tests, NULL, NULL);
}
