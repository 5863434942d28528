/* The checker finds every kind of damage that a planner could do. */
#include "every_plan.h"
#include "kernels/abi.h"
#include "runtime/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct every_plan plans;
static size_t target; /* whose plans are damaged */

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

/* A copy of a plan, open for writing. */
struct patient {
	struct greta_plan_image image;
	struct greta_plan_header *header;
	struct greta_plan_tensor *tensors;
	struct greta_plan_buffer *buffers;
	struct greta_plan_program *programs;
	struct greta_plan_launch *launches;
	struct greta_plan_reloc *relocs;
	uint8_t *args;
};

static struct patient admit(uint32_t which)
{
	struct patient p = {.image = copy_of(&plans.images[target][which])};
	uint8_t *base = p.image.data;
	p.header = p.image.data;
	p.tensors = (void *)(base + p.header->sections[GRETA_PLAN_TENSORS].offset);
	p.buffers = (void *)(base + p.header->sections[GRETA_PLAN_BUFFERS].offset);
	p.programs = (void *)(base + p.header->sections[GRETA_PLAN_PROGRAMS].offset);
	p.launches = (void *)(base + p.header->sections[GRETA_PLAN_LAUNCHES].offset);
	p.relocs = (void *)(base + p.header->sections[GRETA_PLAN_RELOCS].offset);
	p.args = base + p.header->sections[GRETA_PLAN_ARGS].offset;
	return p;
}

/* The first launch of a kernel in the decode program. */
static struct greta_plan_launch *first(struct patient *p, uint32_t kernel)
{
	for (uint32_t l = 0; l < p->programs[0].launch_count; l++)
		if (p->launches[l].kernel == kernel)
			return &p->launches[l];
	fail_msg("no such launch");
	return NULL;
}

static void *args_of(struct patient *p, const struct greta_plan_launch *launch) { return p->args + launch->args; }

static uint64_t *pointer(struct patient *p, const struct greta_plan_launch *launch, size_t field)
{
	return (void *)(p->args + launch->args + field);
}

static struct greta_plan_reloc *reloc(struct patient *p, const struct greta_plan_launch *launch, size_t field)
{
	for (uint32_t r = 0; r < launch->reloc_count; r++)
		if (p->relocs[launch->first_reloc + r].field == field)
			return &p->relocs[launch->first_reloc + r];
	fail_msg("no such relocation");
	return NULL;
}

/* The buffer behind a pointer of a launch. */
static struct greta_plan_buffer *buffer(struct patient *p, const struct greta_plan_launch *launch, size_t field)
{
	return &p->buffers[reloc(p, launch, field)->object];
}

/* Moves an arena buffer and all pointers into it. */
static void move(struct patient *p, struct greta_plan_buffer *b, uint64_t offset)
{
	uint64_t old = b->offset;
	for (size_t l = 0; l < p->header->sections[GRETA_PLAN_LAUNCHES].count; l++)
		for (uint32_t r = 0; r < p->launches[l].reloc_count; r++) {
			struct greta_plan_reloc *at = &p->relocs[p->launches[l].first_reloc + r];
			if (at->region >= GRETA_REGION_KV && &p->buffers[at->object] == b)
				*pointer(p, &p->launches[l], at->field) += offset - old;
		}
	b->offset = offset;
}

/* Refused, with a reason that holds `word`. */
static void refused(struct patient *p, const char *word)
{
	struct greta_error error = {0};
	repair_checksum(&p->image);
	enum greta_status status = accept(&p->image, &error);
	if (status != GRETA_ERROR_FORMAT || !strstr(error.message, word))
		fail_msg("status %d: %s (expected: %s)", status, error.message, word);
	greta_plan_image_finish(&p->image);
}

#define FIELD(kernel, name) offsetof(struct greta_##kernel##_args, name)

static void undamaged_plans_are_accepted(void **state)
{
	(void)state;
	struct greta_error error;
	assert_int_equal(accept(&plans.images[target][0], &error), GRETA_OK);
	assert_int_equal(accept(&plans.images[target][1], &error), GRETA_OK);
	assert_int_equal(accept(&plans.images[target][STAMPED], &error), GRETA_OK);
	struct patient p = admit(GRETA_FUSE_FULL);
	struct greta_plan_buffer *x = buffer(&p, first(&p, GRETA_KERNEL_embed), FIELD(embed, x));
	move(&p, x, (p.header->region_bytes[GRETA_REGION_ARENA] + 63) / 64 * 64);
	p.header->region_bytes[GRETA_REGION_ARENA] = x->offset + x->bytes;
	p.programs[0].arena_bytes = x->offset + x->bytes;
	repair_checksum(&p.image);
	assert_int_equal(accept(&p.image, &error), GRETA_OK); /* or `move` would prove nothing below */
	greta_plan_image_finish(&p.image);
}

static void live_buffers_that_overlap_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	struct greta_plan_buffer *x = buffer(&p, first(&p, GRETA_KERNEL_embed), FIELD(embed, x));
	struct greta_plan_buffer *q = buffer(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q));
	move(&p, q, x->offset);
	refused(&p, "writes q.0 over x");

	p = admit(GRETA_FUSE_FULL);
	struct greta_plan_buffer *rope = buffer(&p, first(&p, GRETA_KERNEL_embed), FIELD(embed, rope));
	struct greta_plan_buffer *attention = buffer(&p, first(&p, GRETA_KERNEL_attention), FIELD(attention, out));
	move(&p, rope, attention->offset);
	refused(&p, "overwritten");
}

static void swapped_pointers_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_NONE);
	struct greta_plan_launch *kv = first(&p, GRETA_KERNEL_kv_write);
	uint64_t *k = pointer(&p, kv, FIELD(kv_write, k)), *v = pointer(&p, kv, FIELD(kv_write, v)), swap = *k;
	*k = *v;
	*v = swap;
	refused(&p, "outside its object");

	p = admit(GRETA_FUSE_FULL);
	struct greta_plan_buffer *q0 = buffer(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q));
	struct greta_plan_buffer *x = buffer(&p, first(&p, GRETA_KERNEL_embed), FIELD(embed, x));
	uint64_t offset = q0->offset;
	q0->offset = x->offset;
	x->offset = offset;
	refused(&p, "outside its object");

	p = admit(GRETA_FUSE_FULL);
	struct greta_plan_launch *qkv = first(&p, GRETA_KERNEL_qkv);
	struct greta_plan_reloc *cache = reloc(&p, qkv, FIELD(qkv, k_cache));
	cache->object += 2;
	*pointer(&p, qkv, FIELD(qkv, k_cache)) = p.buffers[cache->object].offset;
	refused(&p, "caches");
}

static void holes_are_found(void **state)
{
	(void)state;
	/* A norm in a place of its own, 64 bytes larger than needed,
	 * written from byte 64 on and read from byte 0 on. */
	struct patient p = admit(GRETA_FUSE_NONE);
	struct greta_plan_launch *norm = first(&p, GRETA_KERNEL_rmsnorm);
	struct greta_plan_buffer *y = buffer(&p, norm, FIELD(rmsnorm, y));
	move(&p, y, (p.header->region_bytes[GRETA_REGION_ARENA] + 63) / 64 * 64);
	y->bytes += 64;
	p.header->region_bytes[GRETA_REGION_ARENA] = y->offset + y->bytes;
	p.programs[0].arena_bytes = y->offset + y->bytes;
	*pointer(&p, norm, FIELD(rmsnorm, y)) += 64;
	refused(&p, "reads byte 0 of attn_norm.0, which nothing has written");
}

static void pointers_out_of_bounds_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	*pointer(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q)) += 64;
	refused(&p, "end of its buffer");

	p = admit(GRETA_FUSE_FULL);
	*pointer(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q)) = UINT64_MAX - 63;
	refused(&p, "outside its object");

	p = admit(GRETA_FUSE_FULL);
	*pointer(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q_weights)) += 64;
	refused(&p, "tensor's start");

	p = admit(GRETA_FUSE_FULL);
	buffer(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q))->bytes -= 64;
	refused(&p, "end of its buffer");

	p = admit(GRETA_FUSE_FULL);
	p.tensors[1].bytes = p.header->model_bytes;
	refused(&p, "tensor 1");

	p = admit(GRETA_FUSE_FULL);
	reloc(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q))->object = UINT32_MAX;
	refused(&p, "outside its object");

	p = admit(GRETA_FUSE_FULL); /* a kernel that would write the weights */
	struct greta_plan_launch *qkv = first(&p, GRETA_KERNEL_qkv);
	struct greta_plan_reloc *q = reloc(&p, qkv, FIELD(qkv, q));
	q->region = reloc(&p, qkv, FIELD(qkv, norm))->region;
	q->object = reloc(&p, qkv, FIELD(qkv, norm))->object;
	*pointer(&p, qkv, FIELD(qkv, q)) = *pointer(&p, qkv, FIELD(qkv, norm));
	refused(&p, "not in the arena");
}

static void arguments_that_do_not_fit_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	first(&p, GRETA_KERNEL_product)->grid[0]++;
	refused(&p, "grid");

	p = admit(GRETA_FUSE_FULL);
	struct greta_product_args *product = args_of(&p, first(&p, GRETA_KERNEL_product));
	product->rows_per_block = 0;
	refused(&p, "rows_per_block");

	p = admit(GRETA_FUSE_FULL);
	product = args_of(&p, first(&p, GRETA_KERNEL_product));
	product->rows *= 2;
	refused(&p, "differs from its tensor");

	p = admit(GRETA_FUSE_FULL);
	product = args_of(&p, first(&p, GRETA_KERNEL_product));
	product->exponent++;
	refused(&p, "exponent");

	p = admit(GRETA_FUSE_FULL);
	product = args_of(&p, first(&p, GRETA_KERNEL_product));
	product->chunk = 2;
	refused(&p, "chunk");

	p = admit(GRETA_FUSE_FULL);
	struct greta_attention_args *attention = args_of(&p, first(&p, GRETA_KERNEL_attention));
	attention->context *= 2;
	refused(&p, "context");

	p = admit(GRETA_FUSE_FULL);
	attention = args_of(&p, first(&p, GRETA_KERNEL_attention));
	attention->heads_per_block = 3;
	refused(&p, "heads_per_block");

	p = admit(GRETA_FUSE_FULL);
	attention = args_of(&p, first(&p, GRETA_KERNEL_attention));
	attention->scale *= 2;
	refused(&p, "scale is not 1 / sqrt(head_dim)");

	p = admit(GRETA_FUSE_NONE);
	struct greta_rmsnorm_args *norm = args_of(&p, first(&p, GRETA_KERNEL_rmsnorm));
	norm->eps = -norm->eps;
	refused(&p, "eps is negative");

	p = admit(GRETA_FUSE_FULL);
	first(&p, GRETA_KERNEL_product)->shared_bytes -= 4;
	refused(&p, "shared");

	p = admit(GRETA_FUSE_FULL);
	struct greta_sample_args *sample = args_of(&p, first(&p, GRETA_KERNEL_sample));
	sample->best_count++;
	refused(&p, "best");

	p = admit(GRETA_FUSE_FULL);
	sample = args_of(&p, first(&p, GRETA_KERNEL_sample));
	sample->advance = 0;
	refused(&p, "advances 0 times");

	p = admit(GRETA_FUSE_FULL);
	first(&p, GRETA_KERNEL_product)->symbol = first(&p, GRETA_KERNEL_qkv)->symbol;
	refused(&p, "symbol");
}

/* Another launch of the same kernel whose arguments hold the same bytes; NULL if there is none. */
static struct greta_plan_launch *twin(struct patient *p, const struct greta_plan_launch *launch)
{
	struct greta_plan_launch *end = p->launches + p->header->sections[GRETA_PLAN_LAUNCHES].count;
	for (struct greta_plan_launch *l = p->launches; l < end; l++)
		if (l != launch && l->kernel == launch->kernel &&
		    memcmp(args_of(p, l), args_of(p, launch), launch->args_bytes) == 0)
			return l;
	return NULL;
}

static void arguments_that_two_launches_share_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_NONE);
	struct greta_plan_launch *launch = p.launches, *other;
	while (!(other = twin(&p, launch)))
		assert_true(++launch < p.launches + p.programs[0].launch_count);
	assert_true(other > launch);
	other->args = launch->args; /* all else is as it was */
	refused(&p, "before those of the launch before it end");

	p = admit(GRETA_FUSE_NONE);
	p.launches[1].args -= 8;
	refused(&p, "launch 1 (");
}

static void regions_larger_than_what_they_hold_are_found(void **state)
{
	(void)state;
	for (int region = 0; region < GRETA_REGION_COUNT; region++) {
		struct patient p = admit(GRETA_FUSE_FULL);
		p.header->region_bytes[region] += 64;
		refused(&p, "region");
	}
	struct patient p = admit(GRETA_FUSE_FULL);
	p.programs[0].arena_bytes += 64;
	refused(&p, "arena");
}

static void lifetimes_that_are_not_those_of_the_launches_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	buffer(&p, first(&p, GRETA_KERNEL_qkv), FIELD(qkv, q))->last++;
	refused(&p, "live");
}

static void a_program_out_of_order_is_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	struct greta_plan_launch *qkv = first(&p, GRETA_KERNEL_qkv), swap = qkv[0];
	qkv[0] = qkv[1];
	qkv[1] = swap;
	refused(&p, "arguments of launch");

	p = admit(GRETA_FUSE_FULL); /* their arguments, too */
	qkv = first(&p, GRETA_KERNEL_qkv);
	swap = qkv[0];
	struct greta_qkv_args args = *(struct greta_qkv_args *)args_of(&p, qkv);
	memmove(args_of(&p, &qkv[0]), args_of(&p, &qkv[1]), qkv[1].args_bytes);
	qkv[0] = qkv[1];
	qkv[0].args = swap.args;
	qkv[1] = swap;
	qkv[1].args = qkv[0].args + qkv[0].args_bytes;
	memcpy(args_of(&p, &qkv[1]), &args, sizeof(args));
	refused(&p, "nothing has written");
}

/* ---- What only GPUs have ---- */

/* Names another function of a launch, in the place of the plan's own. */
static void set_symbol(struct patient *p, struct greta_plan_launch *launch, const char *from, const char *to)
{
	char *name = (char *)p->image.data + p->header->sections[GRETA_PLAN_STRINGS].offset + launch->symbol;
	assert_string_equal(name, from);
	assert_int_equal(strlen(from), strlen(to));
	for (; *to; to++)
		*name++ = *to;
}

static void set_target(struct patient *p, const char *name)
{
	memset(p->header->target, 0, sizeof(p->header->target));
	snprintf(p->header->target, sizeof(p->header->target), "%s", name);
}

static void names_that_would_steer_a_terminal_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	set_target(&p, "cpu\033[2J");
	refused(&p, "control characters");

	p = admit(GRETA_FUSE_FULL);
	((char *)p.image.data)[p.header->sections[GRETA_PLAN_STRINGS].offset + p.header->model_path] = '\033';
	refused(&p, "control characters");
}

static void functions_that_do_not_fit_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	set_symbol(&p, first(&p, GRETA_KERNEL_lm_head), "greta_lm_head_q6_k", "greta_lm_head_q5_k");
	refused(&p, "type or layout");

	p = admit(GRETA_FUSE_FULL);
	set_symbol(&p, first(&p, GRETA_KERNEL_lm_head), "greta_lm_head_q6_k", "greta_lm_head_qx_k");
	refused(&p, "none of the target's");

	p = admit(GRETA_FUSE_FULL);
	first(&p, GRETA_KERNEL_product)->block[0] *= 2;
	refused(&p, "threads");

	p = admit(GRETA_FUSE_FULL);
	struct greta_plan_launch *last = &p.launches[p.programs[2].first_launch + p.programs[2].launch_count - 1];
	while (last->kernel != GRETA_KERNEL_product)
		last--;
	last->symbol = first(&p, GRETA_KERNEL_product)->symbol;
	refused(&p, "");

	/* The other target's plan: its blocks and shared memory are different ones. */
	p = admit(GRETA_FUSE_FULL);
	set_target(&p, every_target[target == 1 ? 2 : 1]);
	refused(&p, "");

	p = admit(GRETA_FUSE_FULL);
	set_target(&p, "cpu");
	refused(&p, "");
}

static void split_contexts_that_do_not_fit_are_found(void **state)
{
	(void)state;
	struct patient p = admit(GRETA_FUSE_FULL);
	struct greta_plan_launch *attention = first(&p, GRETA_KERNEL_attention);
	assert_int_equal(attention->grid[1], 2);
	attention->grid[1] = 3;
	refused(&p, "more parts");

	p = admit(GRETA_FUSE_FULL);
	first(&p, GRETA_KERNEL_attention)->grid[1] = 1;
	refused(&p, "scratch");

	p = admit(GRETA_FUSE_FULL);
	buffer(&p, first(&p, GRETA_KERNEL_attention), FIELD(attention, scratch))->bytes -= 64;
	refused(&p, "end of its buffer");

	p = admit(GRETA_FUSE_FULL);
	attention = first(&p, GRETA_KERNEL_attention);
	struct greta_plan_reloc *counters = reloc(&p, attention, FIELD(attention, counters));
	counters->object = reloc(&p, attention, FIELD(attention, state))->object;
	*pointer(&p, attention, FIELD(attention, counters)) = p.buffers[counters->object].offset;
	refused(&p, "counters");

	p = admit(GRETA_FUSE_FULL);
	buffer(&p, first(&p, GRETA_KERNEL_attention), FIELD(attention, counters))->bytes = 4;
	refused(&p, "counters");
}

/* The n-th stamp of the decode program; its launch's arguments. */
static struct greta_stamp_args *stamp(struct patient *p, uint32_t n)
{
	struct greta_plan_launch *launch = first(p, GRETA_KERNEL_stamp);
	while (n)
		n -= (++launch)->kernel == GRETA_KERNEL_stamp;
	return args_of(p, launch);
}

static void stamps_that_do_not_fit_are_found(void **state)
{
	(void)state;
	struct patient p = admit(STAMPED);
	stamp(&p, 3)->slot++;
	refused(&p, "out of order");

	p = admit(STAMPED);
	uint32_t slots = stamp(&p, 0)->slots;
	stamp(&p, slots - 1)->slot = slots;
	refused(&p, "slots are not sound");

	p = admit(STAMPED);
	stamp(&p, 1)->rows /= 2;
	refused(&p, "elsewhere");

	p = admit(STAMPED);
	stamp(&p, 1)->rows--;
	refused(&p, "rows");

	p = admit(STAMPED);
	stamp(&p, 0)->rows = 0;
	refused(&p, "rows");

	p = admit(STAMPED);
	stamp(&p, 0)->rows *= 2;
	refused(&p, "counters");

	/* Room for fewer steps, so that there is some for a stamp that nobody writes. */
	p = admit(STAMPED);
	for (uint32_t n = 0; n < slots; n++) {
		stamp(&p, n)->rows = 8;
		stamp(&p, n)->slots++;
	}
	char missing[32];
	snprintf(missing, sizeof(missing), "%u of %u stamps", slots, slots + 1);
	refused(&p, missing);

	/* Where the state is. */
	p = admit(STAMPED);
	struct greta_plan_launch *launch = first(&p, GRETA_KERNEL_stamp);
	struct greta_plan_reloc *place = reloc(&p, launch, FIELD(stamp, stamps));
	place->object = reloc(&p, launch, FIELD(stamp, state))->object;
	*pointer(&p, launch, FIELD(stamp, stamps)) = p.buffers[place->object].offset;
	refused(&p, "counters");
}

static void stamps_among_counters_are_found(void **state)
{
	(void)state;
	struct patient p = admit(STAMPED);
	struct greta_plan_launch *attention = first(&p, GRETA_KERNEL_attention);
	struct greta_plan_reloc *counters = reloc(&p, attention, FIELD(attention, counters));
	counters->object = reloc(&p, first(&p, GRETA_KERNEL_stamp), FIELD(stamp, stamps))->object;
	*pointer(&p, attention, FIELD(attention, counters)) = p.buffers[counters->object].offset;
	refused(&p, "one buffer");
}

static int choose(void **state)
{
	target = *(const size_t *)*state;
	return 0;
}

int main(void)
{
#define ON(test, number) cmocka_unit_test_prestate_setup_teardown(test, choose, NULL, &numbers[number])
#define ON_GPUS(test) ON(test, 1), ON(test, 2)
#define ON_ALL(test) ON(test, 0), ON_GPUS(test)
	static size_t numbers[EVERY_TARGET] = {0, 1, 2};
	const struct CMUnitTest tests[] = {
	    ON_ALL(undamaged_plans_are_accepted),
	    ON_ALL(live_buffers_that_overlap_are_found),
	    ON_ALL(swapped_pointers_are_found),
	    ON_ALL(holes_are_found),
	    ON_ALL(pointers_out_of_bounds_are_found),
	    ON_ALL(arguments_that_do_not_fit_are_found),
	    ON_ALL(arguments_that_two_launches_share_are_found),
	    ON_ALL(regions_larger_than_what_they_hold_are_found),
	    ON_ALL(lifetimes_that_are_not_those_of_the_launches_are_found),
	    ON_ALL(a_program_out_of_order_is_found),
	    ON_ALL(names_that_would_steer_a_terminal_are_found),
	    ON_GPUS(functions_that_do_not_fit_are_found),
	    ON_GPUS(split_contexts_that_do_not_fit_are_found),
	    ON_ALL(stamps_that_do_not_fit_are_found),
	    ON_GPUS(stamps_among_counters_are_found),
	};
	return cmocka_run_group_tests_name("verify", tests, make_plans, drop_plans);
}
