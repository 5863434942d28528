/* Every allocation of planning, opening and checking made to fail in turn, and every thread's start: an error that says
 * so, nothing lost (the sanitizer looks), or the plan all the same. The linker sends the allocating calls here
 * (-Wl,--wrap). */
#include "runtime/verify.h"
#include "small_model.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned long allocations; /* since the attempt began */
static unsigned long failing;     /* the one to fail; 0: none */

static bool fails(void) { return __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED) == failing; }

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_reallocarray(void *block, size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*function)(void *), void *argument);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*function)(void *), void *argument);

void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }

void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }

void *__wrap_realloc(void *block, size_t size) { return fails() ? NULL : __real_realloc(block, size); }

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(block, count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __real_aligned_alloc(alignment, size); }

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
	return fails() ? EAGAIN : __real_pthread_create(out, attributes, function, argument);
}

static void without_each(const struct small_model *model, const struct greta_plan_options *options)
{
	struct greta_plan_image whole = {0};
	struct greta_error error;
	failing = 0;
	assert_int_equal(greta_plan_build(&model->llama, options, &whole, &error), GRETA_OK);
	unsigned long failed = 0;
	for (unsigned long n = 1;; n++) {
		struct greta_plan_image image = {0};
		error.message[0] = '\0';
		allocations = 0;
		failing = n;
		enum greta_status status = greta_plan_build(&model->llama, options, &image, &error);
		failing = 0;
		if (status == GRETA_OK) {
			/* Not a byte may be missing. */
			assert_int_equal(image.size, whole.size);
			assert_memory_equal(image.data, whole.data, whole.size);
			greta_plan_image_finish(&image);
		} else {
			assert_int_equal(status, GRETA_ERROR_MEMORY);
			assert_non_null(strstr(error.message, "memory"));
			assert_null(image.data);
			failed++;
		}
		if (allocations < n)
			break;
	}
	assert_true(failed > 20);
	greta_plan_image_finish(&whole);
}

static void planning_survives(void **state)
{
	(void)state;
	static const uint32_t prefill[] = {8};
	struct small_model model;
	small_model_open(&model, "embd=256,layers=2,heads=4,kv=2,ffn=256,vocab=260,ctx=40", "Q4_K_M");
	for (uint32_t run = 0; run < 3; run++) {
		struct greta_plan_options options = {.target = run < 2 ? "cpu" : "gfx942",
						     .prefill = prefill,
						     .prefill_count = 1,
						     .fuse = run > 0,
						     .threads = 2};
		without_each(&model, &options);
	}
	small_model_close(&model);
}

static void opening_and_checking_survive(void **state)
{
	(void)state;
	struct small_model model;
	small_model_open(&model, "embd=256,layers=2,heads=4,kv=2,ffn=256,vocab=260,ctx=40", "Q4_K_M");
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	enum greta_status status = GRETA_ERROR_MEMORY;
	for (unsigned long n = 1; status != GRETA_OK; n++) {
		struct greta_error error;
		allocations = 0;
		failing = n;
		status = accept(&image, &error);
		failing = 0;
		assert_true(status == GRETA_OK || status == GRETA_ERROR_MEMORY);
	}
	assert_true(allocations > 2);
	greta_plan_image_finish(&image);
	small_model_close(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(planning_survives),
	    cmocka_unit_test(opening_and_checking_survive),
	};
	return cmocka_run_group_tests_name("plan-nomemory", tests, NULL, NULL);
}
