/* Every target: that planner and checker know the same of it,
 * and that launches of real models' shapes fit its blocks. */
#include "planner/lower.h"
#include "runtime/verify_target.h"
#include "small_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void planner_and_checker_know_the_same_targets(void **state)
{
	const struct greta_target *target;
	size_t count = 0;
	(void)state;
	for (; (target = greta_target_at(count)); count++) {
		const struct greta_target_facts *facts = greta_target_facts(target->name);
		assert_non_null(facts);
		assert_ptr_equal(greta_target_find(target->name), target);
		assert_int_equal(facts->shared_most, target->max_shared_bytes);
		assert_int_equal(facts->digits_bytes, target->digits_block_bytes);
		assert_int_equal(facts->self_digits_tokens, target->self_digits_tokens);
		assert_int_equal(facts->reads_model, target->model_in_place);
		assert_int_equal(facts->function_count, target->form_count);
		for (size_t i = 0; i < target->form_count; i++) {
			const struct greta_form *form = &target->forms[i];
			const struct greta_target_function *function = greta_target_function(facts, form->symbol);
			if (!function || function->kernel != form->kernel || function->threads != form->threads ||
			    function->bytes != form->shared_bytes || function->row_bytes != form->row_bytes)
				fail_msg("%s: %s is another to the checker", target->name, form->symbol);
		}
	}
	assert_non_null(greta_target_facts_at(count - 1));
	assert_null(greta_target_facts_at(count));
}

static void plans_of_every_type_are_sound_on_every_target(void **state)
{
	static const char *const mixes[] = {"Q4_K_M", "Q8_0", "Q6_K", "Q5_K", "Q4_0", "F16", "F32"};
	(void)state;
	for (size_t m = 0; m < sizeof(mixes) / sizeof(mixes[0]); m++) {
		struct small_model model;
		small_model_open(&model, "embd=512,layers=1,heads=8,kv=2,ffn=768,vocab=290,ctx=100", mixes[m]);
		for (size_t i = 0; greta_target_at(i); i++)
			for (uint32_t fuse = 0; fuse < 2; fuse++) {
				struct greta_error error;
				struct greta_plan_image image =
				    small_model_plan_for(&model, greta_target_at(i)->name, fuse);
				if (accept(&image, &error) != GRETA_OK)
					fail_msg("%s on %s: %s", mixes[m], greta_target_at(i)->name, error.message);
				greta_plan_image_finish(&image);
			}
		small_model_close(&model);
	}
}

/* Rows and columns of the largest products of a decode step. */
static const struct model {
	const char *name;
	uint32_t embd, ffn, vocab;
} MODELS[] = {
    {"TinyLlama", 2048, 5632, 32000},
    {"Llama-2-7B", 4096, 11008, 32000},
    {"Llama-2-13B", 5120, 13824, 32000},
    {"Llama-3-8B", 4096, 14336, 128256},
    {"Llama-3-70B", 8192, 28672, 128256},
};

static const uint32_t TYPES[] = {GRETA_TYPE_Q4_0, GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K,
				 GRETA_TYPE_F16};

/* Lowers as the planner does: with a digits node where the target wants one. */
static void fits(const struct greta_target *target, const struct model *model, struct greta_op *op,
		 uint32_t cols_of_digits, size_t digits)
{
	struct greta_lowered lowered;
	struct greta_error error;
	if (cols_of_digits &&
	    greta_target_wants_digits_node(target, 1, cols_of_digits, greta_op_digits_room(op, target)))
		op->refs[digits].kind = GRETA_REF_VALUE;
	uint32_t rows = greta_op_rows(op, target);
	if (greta_lower(op, target, &lowered, &error) != GRETA_OK)
		fail_msg("%s on %s: %s", model->name, target->name, error.message);
	assert_in_range(lowered.shared_bytes, 0, target->max_shared_bytes);
	assert_true(rows >= 16 && rows % 16 == 0);
}

static void real_models_fit_every_gpu(void **state)
{
	(void)state;
	for (size_t i = 0; greta_target_at(i); i++)
		for (size_t m = 0; m < sizeof(MODELS) / sizeof(MODELS[0]); m++)
			for (size_t t = 0; t < sizeof(TYPES) / sizeof(TYPES[0]); t++) {
				const struct greta_target *target = greta_target_at(i);
				const struct model *model = &MODELS[m];
				if (target->model_in_place)
					continue;
				struct greta_op head = {.kernel = GRETA_KERNEL_lm_head,
							.args.lm_head = {.rows = model->vocab, .cols = model->embd,
									 .type = TYPES[t], .chunk = 1}};
				/* Its digits and tiles of Q8_0 are more than 99 KiB;
				 * such a model is too large for these cards. */
				if (TYPES[t] != GRETA_TYPE_Q8_0 || model->embd < 8192 ||
				    target->max_shared_bytes > 99 << 10)
					fits(target, model, &head, 0, 0);
				struct greta_op down = {.kernel = GRETA_KERNEL_product,
							.args.product = {.rows = model->embd, .cols = model->ffn,
									 .type = TYPES[t], .chunk = 1}};
				fits(target, model, &down, model->ffn, GRETA_REF(product, digits));
				struct greta_op ffn = {.kernel = GRETA_KERNEL_gate_up,
						       .args.gate_up = {.rows = model->ffn, .cols = model->embd,
									.gate_type = TYPES[t], .up_type = TYPES[t], .chunk = 1}};
				fits(target, model, &ffn, model->embd, GRETA_REF(gate_up, digits));
			}
}

/* Blocks of rows: no more of them at a time than wanted;
 * where memory allows fewer rows, more rounds of equal blocks. */
static void rows_are_dealt_in_as_few_rounds_as_fit(void **state)
{
	const struct greta_form form = {.rows = 16, .blocks = 10, .most_rows = 1024, .row_bytes = 64};
	(void)state;
	assert_int_equal(greta_form_rows(&form, 160, 64 * 1024), 16);
	assert_int_equal(greta_form_rows(&form, 161, 64 * 1024), 32);
	assert_int_equal(greta_form_rows(&form, 10 * 1024, 64 * 1024), 1024);
	assert_int_equal(greta_form_rows(&form, 10 * 1024 + 1, 1 << 20), 33 * 16); /* two rounds */
	assert_int_equal(greta_form_rows(&form, 1600, 160 * 64), 160);
	assert_int_equal(greta_form_rows(&form, 1600, 160 * 64 - 1), 80);
	assert_int_equal(greta_form_rows(&form, 1600, 79 * 64), 64);  /* three: 100 groups, 30 blocks, 4 each */
	assert_int_equal(greta_form_rows(&form, 1600, 0), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(planner_and_checker_know_the_same_targets),
	    cmocka_unit_test(plans_of_every_type_are_sound_on_every_target),
	    cmocka_unit_test(real_models_fit_every_gpu),
	    cmocka_unit_test(rows_are_dealt_in_as_few_rounds_as_fit),
	};
	return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
