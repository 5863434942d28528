/* What `greta-plan diff` tells of two plans that differ in one place, called in this process. */
#include "kernels/abi.h"
#include "planner/commands.h"
#include "small_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct small_model model;
static char folder[] = "/tmp/greta-diff-XXXXXX";
static char path_a[64], path_b[64], path_out[64];

static int open_model(void **state)
{
	(void)state;
	small_model_open(&model, "embd=256,layers=1,heads=4,kv=2,ffn=256,vocab=260,ctx=40", "Q4_K_M");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path_a, sizeof(path_a), "%s/a", folder);
	snprintf(path_b, sizeof(path_b), "%s/b", folder);
	snprintf(path_out, sizeof(path_out), "%s/out", folder);
	return 0;
}

static int close_model(void **state)
{
	(void)state;
	small_model_close(&model);
	unlink(path_a);
	unlink(path_b);
	unlink(path_out);
	return rmdir(folder);
}

static void *section(struct greta_plan_image *image, enum greta_plan_section which)
{
	const struct greta_plan_header *header = image->data;
	return (uint8_t *)image->data + header->sections[which].offset;
}

static struct greta_plan_launch *launch(struct greta_plan_image *image, uint32_t kernel)
{
	struct greta_plan_launch *at = section(image, GRETA_PLAN_LAUNCHES);
	while (at->kernel != kernel)
		at++;
	return at;
}

static void *args_of(struct greta_plan_image *image, uint32_t kernel)
{
	return (uint8_t *)section(image, GRETA_PLAN_ARGS) + launch(image, kernel)->args;
}

/* Of the plan and the changed one a line is told that begins and ends so, and nothing else. */
static void told(struct greta_plan_image *changed, const char *begin, const char *end)
{
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_error error;
	char *words[] = {(char[]){"diff"}, path_a, path_b, NULL};
	char text[512] = "";
	repair_checksum(changed);
	assert_int_equal(greta_plan_write(path_a, &image, &error), GRETA_OK);
	assert_int_equal(greta_plan_write(path_b, changed, &error), GRETA_OK);
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	FILE *out = fopen(path_out, "w+");
	assert_non_null(out);
	dup2(fileno(out), STDOUT_FILENO);
	int status = greta_plan_command_diff(3, words);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(out);
	size_t length = fread(text, 1, sizeof(text) - 1, out);
	fclose(out);
	if (status != 1 || strncmp(text, begin, strlen(begin)) != 0 || length < strlen(end) ||
	    strcmp(text + length - strlen(end), end) != 0 || strchr(text, '\n') != text + length - 1)
		fail_msg("status %d: %s(expected: %s...%s)", status, text, begin, end);
	greta_plan_image_finish(&image);
	greta_plan_image_finish(changed);
}

static void scalars_are_told_by_name(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_qkv_args *qkv = args_of(&image, GRETA_KERNEL_qkv);
	qkv->eps = 0.5f;
	told(&image, "decode, launch 1 (qkv): eps is 9.99999975e-06, 0.5", "\n");

	image = small_model_plan(&model, GRETA_FUSE_FULL);
	qkv = args_of(&image, GRETA_KERNEL_qkv);
	qkv->eps = 0.5f;
	qkv->cols++;
	launch(&image, GRETA_KERNEL_qkv)->shared_bytes = 0;
	told(&image, "decode, launch 1 (qkv): cols is 256, 257; eps is ", "; shared memory is 265792, 0\n");

	image = small_model_plan(&model, GRETA_FUSE_FULL); /* values that have no name */
	qkv = args_of(&image, GRETA_KERNEL_qkv);
	qkv->kv_type = 5;
	told(&image, "decode, launch 1 (qkv): kv_type is f16, ?", "\n");
}

static void constants_are_told(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	double *constants = section(&image, GRETA_PLAN_CONSTANTS);
	constants[1] = 0.5;
	constants[3] = 0.25;
	told(&image, "constant rope", ": 2 of 32 values differ, first value 1: 0.74989420933245587, 0.5\n");
}

static void places_are_told(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_plan_buffer *buffers = section(&image, GRETA_PLAN_BUFFERS);
	buffers[0].bytes--;
	told(&image, "buffers: 1 of ", " differ in name, place, size or lifetime\n");

	image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_plan_tensor *tensors = section(&image, GRETA_PLAN_TENSORS);
	while (tensors->region != GRETA_REGION_WEIGHTS)
		tensors++;
	tensors->source_bytes--;
	told(&image, "tensors: 1 of ", " differ in name, type, layout, shape, place, source or exponent\n");
}

static void what_means_nothing_is_no_decision(void **state)
{
	(void)state;
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_plan_buffer *buffers = section(&image, GRETA_PLAN_BUFFERS);
	buffers[0].reserved = 1;
	told(&image, "nothing that is decided differs, but the files' bytes do\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(scalars_are_told_by_name),
	    cmocka_unit_test(constants_are_told),
	    cmocka_unit_test(places_are_told),
	    cmocka_unit_test(what_means_nothing_is_no_decision),
	};
	return cmocka_run_group_tests_name("diff", tests, open_model, close_model);
}
