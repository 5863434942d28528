/* What a plan of a model is: its launches, its options, its bytes. */
#include "kernels/abi.h"
#include "planner/target.h"
#include "runtime/verify.h"
#include "small_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LAYERS 3

static struct small_model model, tied;

static int open_models(void **state)
{
	(void)state;
	small_model_open(&model, "embd=512,layers=3,heads=8,kv=2,ffn=768,vocab=290,ctx=100", "Q4_K_M");
	small_model_open(&tied, "embd=256,layers=3,heads=4,kv=4,ffn=512,vocab=300,ctx=64,tied=1,freqs=1", "Q8_0");
	return 0;
}

static int close_models(void **state)
{
	(void)state;
	small_model_close(&model);
	small_model_close(&tied);
	return 0;
}

static struct greta_plan opened(const struct greta_plan_image *image)
{
	struct greta_plan plan;
	struct greta_error error;
	if (greta_plan_open_memory(image->data, image->size, &plan, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	return plan;
}

static void launches_of_layers(const struct greta_plan *plan, uint32_t program, uint32_t layer, uint32_t expected)
{
	uint32_t count = 0;
	for (uint32_t l = 0; l < plan->programs[program].launch_count; l++)
		count += plan->launches[plan->programs[program].first_launch + l].layer == layer;
	assert_int_equal(count, expected);
}

static void launches_are_counted(void **state)
{
	(void)state;
	static const struct {
		uint32_t fuse, per_layer[3], outside[3]; /* decode, prefill2, prefill32 */
	} rows[] = {
	    {GRETA_FUSE_FULL, {5, 9, 9}, {3, 3, 3}},
	    {GRETA_FUSE_NONE, {16, 20, 20}, {7, 7, 7}},
	};
	const struct greta_target *target;
	for (size_t r = 0; (target = greta_target_at(r / 2)); r++) {
		struct greta_plan_image image = small_model_plan_for(&model, target->name, rows[r % 2].fuse);
		struct greta_plan plan = opened(&image);
		assert_int_equal(plan.program_count, 3);
		for (uint32_t p = 0; p < 3; p++) {
			assert_int_equal(plan.programs[p].launch_count,
					 rows[r % 2].outside[p] + LAYERS * rows[r % 2].per_layer[p]);
			for (uint32_t l = 0; l < LAYERS; l++)
				launches_of_layers(&plan, p, l, rows[r % 2].per_layer[p]);
		}
		greta_plan_image_finish(&image);
	}
}

static void the_fused_layer_is_the_one_wanted(void **state)
{
	(void)state;
	static const uint32_t decode[] = {
	    GRETA_KERNEL_embed,
	    GRETA_KERNEL_qkv, GRETA_KERNEL_attention, GRETA_KERNEL_product, GRETA_KERNEL_gate_up, GRETA_KERNEL_product,
	    GRETA_KERNEL_qkv, GRETA_KERNEL_attention, GRETA_KERNEL_product, GRETA_KERNEL_gate_up, GRETA_KERNEL_product,
	    GRETA_KERNEL_qkv, GRETA_KERNEL_attention, GRETA_KERNEL_product, GRETA_KERNEL_gate_up, GRETA_KERNEL_product,
	    GRETA_KERNEL_lm_head, GRETA_KERNEL_sample,
	};
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_plan plan = opened(&image);
	for (uint32_t l = 0; l < sizeof(decode) / sizeof(decode[0]); l++)
		assert_int_equal(plan.launches[l].kernel, decode[l]);
	const struct greta_product_args *down = (const void *)(plan.args + plan.launches[5].args);
	assert_ptr_equal(down->residual, down->y);
	greta_plan_image_finish(&image);
}

/* With stamps a program is what it is without, and between its launches stamps in order. */
static void stamps_change_nothing_else(void **state)
{
	(void)state;
	static const uint32_t expected[2][2] = {{3 + LAYERS * 4, 3 + LAYERS * 4}, {3 + LAYERS * 5, 7 + LAYERS * 16}};
	for (uint32_t i = 0; greta_target_at(i / 4); i++) {
		const char *target = greta_target_at(i / 4)->name;
		uint32_t fuse = i % 2, where = GRETA_PLAN_STAMPS_BLOCKS + i / 2 % 2;
		static const uint32_t prefill[] = {2, 32};
		struct greta_plan_options options = {.target = target, .prefill = prefill, .prefill_count = 2, .fuse = fuse,
						     .stamps = where};
		struct greta_plan_image image, without = small_model_plan_for(&model, target, fuse);
		struct greta_error error;
		assert_int_equal(greta_plan_build(&model.llama, &options, &image, &error), GRETA_OK);
		struct greta_plan stamped = opened(&image), plain = opened(&without);
		size_t at = 0;
		for (uint32_t p = 0; p < 3; p++) {
			uint32_t stamps = 0;
			for (uint32_t l = 0; l < stamped.programs[p].launch_count; l++) {
				const struct greta_plan_launch *launch =
				    &stamped.launches[stamped.programs[p].first_launch + l];
				if (launch->kernel == GRETA_KERNEL_stamp) {
					const struct greta_stamp_args *args =
					    (const void *)(stamped.args + launch->args);
					assert_int_equal(args->slot, stamps++);
					continue;
				}
				assert_int_equal(launch->kernel, plain.launches[at].kernel);
				assert_memory_equal(launch->grid, plain.launches[at].grid, sizeof(launch->grid));
				assert_int_equal(launch->layer, plain.launches[at].layer);
				at++;
			}
			assert_int_equal(stamped.launches[stamped.programs[p].first_launch + 1].kernel,
					 GRETA_KERNEL_stamp);
			if (p == 0)
				assert_int_equal(stamps, 2 + expected[where == GRETA_PLAN_STAMPS_LAUNCHES]
								     [fuse != GRETA_FUSE_FULL]);
		}
		assert_int_equal(at, plain.launch_count);
		assert_int_equal(stamped.header->region_bytes[GRETA_REGION_ARENA],
				 plain.header->region_bytes[GRETA_REGION_ARENA]);
		greta_plan_image_finish(&image);
		greta_plan_image_finish(&without);
	}
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	(void)state;
	for (uint32_t threads = 1; threads <= 3; threads++) {
		struct greta_plan_options options = GRETA_PLAN_OPTIONS_DEFAULT;
		options.threads = threads;
		struct greta_plan_image a = {0}, b = {0};
		struct greta_error error;
		assert_int_equal(greta_plan_build(&model.llama, &options, &a, &error), GRETA_OK);
		options.threads = 1;
		assert_int_equal(greta_plan_build(&model.llama, &options, &b, &error), GRETA_OK);
		assert_int_equal(a.size, b.size);
		assert_memory_equal(a.data, b.data, a.size);
		greta_plan_image_finish(&a);
		greta_plan_image_finish(&b);
	}
}

static bool overlap(const struct greta_plan_buffer *a, const struct greta_plan_buffer *b)
{
	return a->region == GRETA_REGION_ARENA && b->region == GRETA_REGION_ARENA && a->program == b->program &&
	       a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static bool has_buffer(const struct greta_plan *plan, const char *name)
{
	for (size_t b = 0; b < plan->buffer_count; b++)
		if (!strcmp(greta_plan_string(plan, plan->buffers[b].name), name))
			return true;
	return false;
}

static void a_plan_that_keeps_all_writes_over_nothing(void **state)
{
	(void)state;
	for (uint32_t i = 0; greta_target_at(i / 2); i++) {
		struct greta_plan_options options = {.target = greta_target_at(i / 2)->name, .fuse = i % 2, .keep_all = true};
		struct greta_plan_image image, usual;
		struct greta_error error;
		if (greta_plan_build(&model.llama, &options, &image, &error) != GRETA_OK)
			fail_msg("%s", error.message);
		options.keep_all = false;
		assert_int_equal(greta_plan_build(&model.llama, &options, &usual, &error), GRETA_OK);
		struct greta_plan plan = opened(&image), plain = opened(&usual);
		for (size_t a = 0; a < plan.buffer_count; a++)
			for (size_t b = 0; b < a; b++)
				assert_false(overlap(&plan.buffers[a], &plan.buffers[b]));
		assert_true(has_buffer(&plan, "x") && has_buffer(&plan, "x_output.1") && has_buffer(&plan, "x_ffn.2"));
		assert_false(has_buffer(&plain, "x_ffn.2"));
		/* Nothing else is other: the same launches. */
		assert_int_equal(plan.launch_count, plain.launch_count);
		for (size_t l = 0; l < plan.launch_count; l++)
			assert_int_equal(plan.launches[l].kernel, plain.launches[l].kernel);
		assert_true(plan.header->region_bytes[GRETA_REGION_ARENA] >
			    plain.header->region_bytes[GRETA_REGION_ARENA]);
		greta_plan_image_finish(&image);
		greta_plan_image_finish(&usual);
	}
}

/* Builds with the options and gives back the plan's error, or OK. */
static enum greta_status try(const struct small_model *m, struct greta_plan_options options,
			     struct greta_plan_header *out)
{
	struct greta_plan_image image;
	struct greta_error error = {0};
	enum greta_status status = greta_plan_build(&m->llama, &options, &image, &error);
	if (status == GRETA_OK) {
		memcpy(out, image.data, sizeof(*out));
		greta_plan_image_finish(&image);
	} else {
		assert_true(error.message[0]);
	}
	return status;
}

static void the_context_is_bounded(void **state)
{
	(void)state;
	struct greta_plan_header header = {0};
	assert_int_equal(try(&model, (struct greta_plan_options){.context = 101}, &header), GRETA_ERROR_ARGUMENT);
	assert_int_equal(try(&model, (struct greta_plan_options){.context = 100}, &header), GRETA_OK);
	assert_int_equal(header.context, 100);
	assert_int_equal(try(&model, (struct greta_plan_options){0}, &header), GRETA_OK);
	assert_int_equal(header.context, 100);
	assert_int_equal(header.region_bytes[GRETA_REGION_KV], 3 * 2 * 128 * 2 * 64 * 2);
	assert_int_equal(try(&model, (struct greta_plan_options){.context = 1}, &header), GRETA_OK);
	assert_int_equal(header.sections[GRETA_PLAN_PROGRAMS].count, 1);
}

static void prefill_lengths_are_sorted_cut_and_unique(void **state)
{
	(void)state;
	static const uint32_t lengths[] = {512, 16, 128, 16};
	struct greta_plan_options options = {.prefill = lengths, .prefill_count = 4};
	struct greta_plan_image image = {0};
	struct greta_error error;
	assert_int_equal(greta_plan_build(&model.llama, &options, &image, &error), GRETA_OK);
	struct greta_plan plan = opened(&image);
	assert_int_equal(plan.program_count, 3);
	assert_int_equal(plan.programs[1].chunk_tokens, 16);
	assert_int_equal(plan.programs[2].chunk_tokens, 100);
	assert_string_equal(greta_plan_string(&plan, plan.programs[2].name), "prefill100");
	greta_plan_image_finish(&image);
}

static void options_out_of_range_are_refused(void **state)
{
	(void)state;
	struct greta_plan_header header = {0};
	static const uint32_t one[] = {1};
	assert_int_equal(try(&model, (struct greta_plan_options){.target = "abacus"}, &header), GRETA_ERROR_ARGUMENT);
	assert_int_equal(try(&model, (struct greta_plan_options){.activations = 5}, &header), GRETA_ERROR_ARGUMENT);
	assert_int_equal(try(&model, (struct greta_plan_options){.kv_type = 2}, &header), GRETA_ERROR_ARGUMENT);
	assert_int_equal(try(&model, (struct greta_plan_options){.fuse = 2}, &header), GRETA_ERROR_ARGUMENT);
	assert_int_equal(try(&model, (struct greta_plan_options){.stamps = 3}, &header), GRETA_ERROR_ARGUMENT);
	assert_int_equal(try(&model, (struct greta_plan_options){.prefill = one, .prefill_count = 1}, &header),
			 GRETA_ERROR_ARGUMENT);
}

static void tied_embeddings_are_laid_out_twice(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan(&tied, GRETA_FUSE_FULL);
	struct greta_plan plan = opened(&image);
	uint32_t raw = 0, rows16 = 0;
	for (size_t t = 0; t < plan.tensor_count; t++)
		if (!strcmp(greta_plan_string(&plan, plan.tensors[t].name), "token_embd.weight")) {
			raw += plan.tensors[t].layout == GRETA_LAYOUT_RAW && plan.tensors[t].region == GRETA_REGION_MODEL;
			rows16 += plan.tensors[t].layout == GRETA_LAYOUT_ROWS16 && plan.tensors[t].region == GRETA_REGION_WEIGHTS;
		}
	assert_int_equal(raw, 1);
	assert_int_equal(rows16, 1);
	greta_plan_image_finish(&image);
}

static void a_gpu_has_everything_in_its_own_memory(void **state)
{
	(void)state;
	const struct greta_target *target;
	for (size_t i = 0; (target = greta_target_at(i)); i++) {
		if (target->model_in_place)
			continue;
		struct greta_plan_image image = small_model_plan_for(&tied, target->name, GRETA_FUSE_FULL);
		struct greta_plan plan = opened(&image);
		assert_string_equal(plan.header->target, target->name);
		assert_int_equal(plan.header->region_bytes[GRETA_REGION_MODEL], 0);
		uint32_t raw = 0, tiles = 0;
		for (size_t t = 0; t < plan.tensor_count; t++) {
			const struct greta_plan_tensor *tensor = &plan.tensors[t];
			bool matrix = !tensor->constant && tensor->rows > 1;
			assert_int_equal(tensor->region, GRETA_REGION_WEIGHTS);
			raw += matrix && tensor->layout == GRETA_LAYOUT_RAW;
			tiles += matrix && tensor->layout == GRETA_LAYOUT_TILE16;
		}
		assert_int_equal(raw, 1); /* the table of embeddings; it is the last matrix, too */
		assert_int_equal(tiles, LAYERS * 7 + 1);
		greta_plan_image_finish(&image);
	}
}

/* A function for each type of weights, and one for several. */
static void a_gpu_takes_the_function_for_its_weights(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan_for(&model, "gfx942", GRETA_FUSE_FULL);
	struct greta_plan plan = opened(&image);
	uint32_t mixed = 0;
	for (uint32_t l = 0; l < plan.programs[0].launch_count; l++) {
		const struct greta_plan_launch *launch = &plan.launches[l];
		const char *symbol = greta_plan_string(&plan, launch->symbol);
		if (launch->kernel == GRETA_KERNEL_qkv) {
			const struct greta_qkv_args *args = (const void *)(plan.args + launch->args);
			assert_string_equal(symbol, args->v_type == args->q_type ? "greta_qkv_q4_k" : "greta_qkv_k");
			mixed += args->v_type != args->q_type;
		} else if (launch->kernel == GRETA_KERNEL_product) {
			const struct greta_product_args *args = (const void *)(plan.args + launch->args);
			assert_string_equal(symbol, args->type == GRETA_TYPE_Q4_K ? "greta_product_q4_k"
										  : "greta_product_q6_k");
		}
	}
	assert_true(mixed > 0);
	const struct greta_plan_program *prefill = &plan.programs[plan.program_count - 1];
	const struct greta_plan_launch *qkv = &plan.launches[prefill->first_launch];
	while (qkv->kernel != GRETA_KERNEL_qkv)
		qkv++;
	assert_non_null(strstr(greta_plan_string(&plan, qkv->symbol), "greta_qkv_prefill_"));
	assert_int_equal(qkv->grid[0], 512 / 128 + 2 * (128 / 128));
	assert_int_equal(qkv->grid[1], 1);
	greta_plan_image_finish(&image);
}

static void a_step_reads_every_weight_once(void **state)
{
	(void)state;
	struct greta_plan_header header = {0};
	assert_int_equal(try(&model, (struct greta_plan_options){0}, &header), GRETA_OK);
	uint64_t bytes = 0;
	for (size_t t = 0; t < greta_gguf_tensor_count(model.gguf); t++) {
		const struct greta_gguf_tensor *tensor = greta_gguf_tensor(model.gguf, t);
		bytes += tensor == model.llama.token_embd ? tensor->bytes / tensor->dims[1] : tensor->bytes;
	}
	/* The layout pads the heads of Q6_K groups, and rows to groups of 16. */
	assert_in_range(header.step_weight_bytes, bytes, bytes + bytes / 16);
}

static void the_plan_fits_its_model_only(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_plan plan = opened(&image);
	struct greta_error error;
	assert_int_equal(greta_verify_model(&plan, model.gguf, &error), GRETA_OK);
	assert_int_equal(greta_verify_model(&plan, tied.gguf, &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "greta-plan build"));
	greta_plan_image_finish(&image);
}

static void the_eps_of_every_norm_is_the_models(void **state)
{
	(void)state;
	for (uint32_t fuse = 0; fuse < 2; fuse++) {
		struct greta_plan_image image = small_model_plan(&model, fuse);
		struct greta_plan plan = opened(&image);
		struct greta_error error;
		uint32_t normed = 0;
		uint8_t *args = (uint8_t *)image.data + plan.header->sections[GRETA_PLAN_ARGS].offset;
		for (size_t l = 0; l < plan.launch_count; l++) {
			const struct greta_kernel_info *info = greta_kernel_info(plan.launches[l].kernel);
			for (uint32_t f = 0; f < info->field_count; f++) {
				float *eps = (void *)(args + plan.launches[l].args + info->fields[f].offset), right = *eps;
				if (strcmp(info->fields[f].name, "eps") != 0 || right == 0)
					continue;
				normed++;
				*eps = right * 2;
				assert_int_equal(greta_verify_model(&plan, model.gguf, &error), GRETA_ERROR_MISMATCH);
				assert_non_null(strstr(error.message, "eps"));
				*eps = right;
			}
		}
		assert_int_equal(normed, 3 * (2 * LAYERS + 1)); /* in each of three programs */
		assert_int_equal(greta_verify_model(&plan, model.gguf, &error), GRETA_OK);
		greta_plan_image_finish(&image);
	}
}

static void a_plan_is_written_whole_and_read_back(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_error error;
	struct greta_plan plan;
	char path[] = "/tmp/greta-plan-XXXXXX";
	close(mkstemp(path));
	assert_int_equal(greta_plan_write(path, &image, &error), GRETA_OK);
	assert_int_equal(greta_plan_open(path, &plan, &error), GRETA_OK);
	assert_int_equal(plan.mapping_bytes, image.size);
	greta_plan_close(&plan);
	assert_int_equal(truncate(path, (off_t)image.size - 1), 0);
	assert_int_equal(greta_plan_open(path, &plan, &error), GRETA_ERROR_FORMAT);
	unlink(path);
	assert_int_equal(greta_plan_open(path, &plan, &error), GRETA_ERROR_IO);
	assert_int_equal(greta_plan_write("/nowhere/x.plan", &image, &error), GRETA_ERROR_IO);
	greta_plan_image_finish(&image);
}

static void another_version_or_build_is_refused_with_the_remedy(void **state)
{
	(void)state;
	struct greta_error error;
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_plan_header *header = image.data;
	char hashes[2][24];
	snprintf(hashes[0], sizeof(hashes[0]), "%016llx", (unsigned long long)header->abi_hash++);
	snprintf(hashes[1], sizeof(hashes[1]), "%016llx", (unsigned long long)header->abi_hash);
	repair_checksum(&image);
	assert_int_equal(accept(&image, &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "greta-plan build"));
	assert_non_null(strstr(error.message, hashes[0]));
	assert_non_null(strstr(error.message, hashes[1]));
	header->version++;
	assert_int_equal(accept(&image, &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "greta-plan build"));
	greta_plan_image_finish(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(launches_are_counted),
	    cmocka_unit_test(the_fused_layer_is_the_one_wanted),
	    cmocka_unit_test(a_plan_that_keeps_all_writes_over_nothing),
	    cmocka_unit_test(stamps_change_nothing_else),
	    cmocka_unit_test(the_same_input_gives_the_same_bytes),
	    cmocka_unit_test(the_context_is_bounded),
	    cmocka_unit_test(prefill_lengths_are_sorted_cut_and_unique),
	    cmocka_unit_test(options_out_of_range_are_refused),
	    cmocka_unit_test(tied_embeddings_are_laid_out_twice),
	    cmocka_unit_test(a_gpu_has_everything_in_its_own_memory),
	    cmocka_unit_test(a_gpu_takes_the_function_for_its_weights),
	    cmocka_unit_test(a_step_reads_every_weight_once),
	    cmocka_unit_test(the_plan_fits_its_model_only),
	    cmocka_unit_test(the_eps_of_every_norm_is_the_models),
	    cmocka_unit_test(a_plan_is_written_whole_and_read_back),
	    cmocka_unit_test(another_version_or_build_is_refused_with_the_remedy),
	};
	return cmocka_run_group_tests_name("plan", tests, open_models, close_models);
}
