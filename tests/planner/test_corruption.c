/* No corruption of a plan's bytes gets a kernel to touch what is not its own: plans that the checker accepts are run.
 * Takes a seed and a number of rounds: test-corruption SEED ROUNDS. */
#include "every_plan.h"
#include "run_plan.h"
#include "runtime/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 1;
static uint32_t rounds = 10000;
static struct every_plan plans;

static int make_plans(void **state)
{
	(void)state;
	every_plan_init(&plans);
	return 0;
}

static int drop_plans(void **state)
{
	(void)state;
	every_plan_finish(&plans);
	return 0;
}

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed * 0x2545f4914f6cdd1d >> 20) % below;
}

/* Somewhere in the part of the file that is used; the header as often as all the rest. */
static size_t place(const struct greta_plan_image *image)
{
	if (draw(4) == 0)
		return draw(sizeof(struct greta_plan_header));
	return draw(image->size);
}

static void damage(struct greta_plan_image *image)
{
	uint8_t *data = image->data;
	size_t at = place(image) / 4 * 4, other = place(image) / 4 * 4;
	uint32_t a, b;
	memcpy(&a, data + at, 4);
	memcpy(&b, data + other, 4);
	switch (draw(6)) {
	case 0: data[place(image)] ^= (uint8_t)(1u << draw(8)); return;
	case 1: data[place(image)] = (uint8_t)draw(256); return;
	case 2: image->size = 1 + draw(image->size); return;
	case 3: /* swap */
		memcpy(data + at, &b, 4);
		memcpy(data + other, &a, 4);
		return;
	case 4: /* copy */
		memcpy(data + at, &b, 4);
		return;
	default: { /* a little more or less, or an extreme */
		static const uint32_t steps[] = {1, 16, 64, 256, UINT32_MAX, (uint32_t)-64, 0x80000000u, 0x7fffffffu};
		a += steps[draw(8)];
		memcpy(data + at, &a, 4);
	}
	}
}

/* Runs what was accepted; the sanitizer, or the memory's end, tells when it touches what is not its own. */
static void run_accepted(const struct greta_plan_image *image)
{
	struct greta_plan plan;
	struct greta_error error;
	struct plan_machine machine;
	static const uint32_t prompt[] = {1, 259, 7};
	assert_int_equal(greta_plan_open_memory(image->data, image->size, &plan, &error), GRETA_OK);
	if (greta_verify_model(&plan, plans.model.gguf, &error) != GRETA_OK)
		return; /* the runtime asks this, too */
	if (strcmp(plan.header->target, "cpu") != 0)
		return; /* there is no memory's end to run into */
	plan_machine_init(&machine, &plan, greta_gguf_data(plans.model.gguf));
	plan_machine_prompt(&machine, prompt, 3);
	plan_machine_step(&machine, (uint32_t)plan.program_count - 1);
	plan_machine_step(&machine, 0);
	plan_machine_finish(&machine);
}

static void no_corruption_does_harm(void **state)
{
	(void)state;
	uint32_t accepted = 0, repaired = 0;
	print_message("seed %llu, %u rounds\n", (unsigned long long)seed, rounds);
	for (uint32_t round = 0; round < rounds; round++) {
		size_t t = draw(2) ? 0 : draw(EVERY_TARGET);
		const struct greta_plan_image *original = &plans.images[t][draw(EVERY_FORM)];
		struct greta_plan_image image = copy_of(original);
		struct greta_error error = {0};
		bool repair = round % 2;
		for (uint64_t n = 1 + draw(3); n; n--)
			damage(&image);
		bool changed = image.size != original->size || memcmp(image.data, original->data, image.size) != 0;
		if (repair)
			repair_checksum(&image);
		enum greta_status status = accept(&image, &error);
		if (!repair && changed)
			assert_int_not_equal(status, GRETA_OK);
		if (status == GRETA_OK) {
			accepted++;
			run_accepted(&image);
		} else {
			assert_true(error.message[0]);
		}
		repaired += repair;
		greta_plan_image_finish(&image);
	}
	print_message("%u of %u with a repaired checksum were accepted and run\n", accepted, repaired);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		rounds = (uint32_t)strtoul(argv[2], NULL, 10);
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_corruption_does_harm)};
	return cmocka_run_group_tests(tests, make_plans, drop_plans);
}
