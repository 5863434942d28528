/* From a dispatch to waves ready to run: the kernel descriptor, the AQL packet, the initial registers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "code.h"
#include "lanes.h"

/* What registers, LDS and scratch hold before a program writes them: a NaN in f32, f16 and bf16, a bad address in 64
 * bits. */
#define UNWRITTEN 0x7fc17e00u

/* kernel_code_properties */
enum { USE_PRIVATE_BUFFER = 1, USE_DISPATCH_PTR = 2, USE_QUEUE_PTR = 4, USE_KERNARG_PTR = 8, USE_DISPATCH_ID = 16,
		USE_FLAT_SCRATCH_INIT = 32,
	USE_PRIVATE_SIZE = 64, WAVE32 = 1 << 10, DYNAMIC_STACK = 1 << 11 };

#define FAIL(...) do { snprintf(err, errlen, __VA_ARGS__); return -1; } while (0)

static uint32_t word_at(const uint8_t *p) { uint32_t x; memcpy(&x, p, 4); return x; }

/* What limits the work-groups that a device holds at once. */
static const struct device { uint32_t units, simds, waves, registers, granule; } devices[] = {
	[ISA_CDNA] = { 304, 4, 8, 512, 8 },     /* MI300X */
	[ISA_RDNA3] = { 96, 2, 16, 1536, 24 },  /* RX 7900 XTX */
	[ISA_RDNA4] = { 64, 2, 16, 1536, 24 },  /* RX 9070 XT */
};
static uint64_t device_residency(const struct launch *l, uint32_t registers)
{
	const struct device *d = &devices[l->code->isa];
	uint32_t allocated = (registers + d->granule - 1) / d->granule * d->granule, per_simd = d->registers / allocated,
			waves = l->waves_per_group;
	per_simd = per_simd > d->waves ? d->waves : per_simd ? per_simd : 1;
	uint32_t by_waves = d->simds * per_simd / waves, by_lds = l->lds_bytes ? 65536 / ((l->lds_bytes + 511) / 512 * 512) : 32;
	uint32_t most = waves == 1 ? 32 : 16, groups = by_waves < by_lds ? by_waves : by_lds;
	groups = groups < most ? groups : most;
	return (uint64_t)d->units * (groups ? groups : 1);
}

static void write_packet(struct launch *l)
{
	const struct sim942_dispatch *d = &l->dispatch;
	uint16_t head[6] = { 0, (uint16_t)(d->grid[2] > 1 ? 3 : d->grid[1] > 1 ? 2 : 1), (uint16_t)d->workgroup[0],
			(uint16_t)d->workgroup[1], (uint16_t)d->workgroup[2], 0 };
	uint64_t pointers[2] = { (uint64_t)(uintptr_t)d->descriptor, (uint64_t)(uintptr_t)d->kernarg };
	memcpy(l->packet, head, 12);
	memcpy(l->packet + 12, d->grid, 12);
	memcpy(l->packet + 24, &l->scratch_bytes, 4);
	memcpy(l->packet + 28, &l->lds_bytes, 4);
	memcpy(l->packet + 32, pointers, 16);
	uint32_t apertures[2] = { SHARED_APERTURE, PRIVATE_APERTURE };
	memcpy(l->queue + 0x40, apertures, 8);   /* amd_queue_t: group and private segment aperture bases */
}

int launch_prepare(struct launch *l, const struct sim942_dispatch *dispatch, char *err, size_t errlen)
{
	const uint8_t *kd = dispatch->descriptor;
	l->code = code_of_address(kd);
	l->dispatch = *dispatch;
	const struct kernel_record *k = l->code ? code_kernel_of(l->code, kd) : NULL;
	if (!k)
		FAIL("the dispatch's descriptor %p belongs to no loaded kernel", (const void *)kd);
	l->kernel = &k->public;
	uint64_t items = 1, groups = 1;
	for (int i = 0; i < 3; i++) {
		if (!dispatch->grid[i] || !dispatch->workgroup[i])
			FAIL("kernel %s: grid and work-group sizes must not be 0", k->name);
		items *= dispatch->workgroup[i];
		l->groups[i] = (uint32_t)(((uint64_t)dispatch->grid[i] + dispatch->workgroup[i] - 1) / dispatch->workgroup[i]);
		groups *= l->groups[i];
		if (items > 1024)
			FAIL("kernel %s: a work-group of %ux%ux%u is above 1024 work-items", k->name, dispatch->workgroup[0],
			dispatch->workgroup[1], dispatch->workgroup[2]);
	}
	l->groups_total = groups;
	l->lanes = l->code->isa == ISA_CDNA ? 64 : 32;
	l->waves_per_group = (uint32_t)((items + l->lanes - 1) / l->lanes);
	uint32_t rsrc3 = word_at(kd + 44), fixed_lds = word_at(kd), kernarg_bytes = word_at(kd + 8),
			preload = word_at(kd + 58) & 0xffff;
	l->rsrc1 = word_at(kd + 48);
	l->rsrc2 = word_at(kd + 52);
	l->properties = word_at(kd + 56) & 0xffff;
	l->preload_count = preload & 127;
	l->preload_offset = preload >> 7;
	if (!(l->properties & WAVE32) != (l->lanes == 64))
		FAIL("kernel %s wants waves of %u lanes, which are not modelled of its processor", k->name, 96 - l->lanes);
	int64_t entry_offset;
	memcpy(&entry_offset, kd + 16, 8);
	l->entry = code_insn_at(l->code, k->descriptor_vaddr + (uint64_t)entry_offset + (l->preload_count ? 256 : 0));
	if (!l->entry)
		FAIL("kernel %s has no instruction at its entry", k->name);
	l->scratch_bytes = l->fixed_scratch_bytes = (word_at(kd + 4) + 3) & ~3u;
	if (l->properties & DYNAMIC_STACK || k->dynamic_stack)
		l->scratch_bytes += 16384;   /* for stacks whose depth the compiler does not know */
	l->lds_bytes = dispatch->lds_bytes;
	if (l->lds_bytes < fixed_lds)
		FAIL("kernel %s needs %u bytes of LDS, the dispatch gives %u", k->name, fixed_lds, l->lds_bytes);
	if (l->lds_bytes > 65536)
		FAIL("kernel %s: %u bytes of LDS are above the device's 65536", k->name, l->lds_bytes);
	if (!dispatch->kernarg && kernarg_bytes)
		FAIL("kernel %s needs %u bytes of arguments, the dispatch gives none", k->name, kernarg_bytes);
	uint32_t allocated = ((l->rsrc1 & 63) + 1) * 8, reach;
	l->accum_offset = l->code->isa == ISA_CDNA ? ((rsrc3 & 63) + 1) * 4 : allocated;
	reach = l->accum_offset + l->code->max_agpr;
	l->registers = allocated > reach ? allocated : reach;
	l->registers = l->code->max_vgpr > l->registers ? l->code->max_vgpr : l->registers;
	l->residency = device_residency(l, allocated);
	write_packet(l);
	uintptr_t arguments = (uintptr_t)dispatch->kernarg;
	l->extra[0] = (struct range){ arguments, arguments + ((kernarg_bytes + 63) & ~63u) };
	l->extra[1] = (struct range){ (uintptr_t)l->packet, (uintptr_t)l->packet + sizeof l->packet };
	l->extra[2] = (struct range){ (uintptr_t)l->queue, (uintptr_t)l->queue + sizeof l->queue };
	return 0;
}

static uint32_t first_mode(const struct launch *l)
{
	uint32_t floats = l->rsrc1 >> 12 & 0xff, saturates = (l->rsrc1 >> 26 & 1) << 23;
	if (l->code->isa == ISA_RDNA4)   /* has no IEEE mode, and its clamp always makes a NaN 0 */
		return floats | MODE_DX10_CLAMP | saturates;
	return floats | (l->rsrc1 >> 21 & 1 ? MODE_DX10_CLAMP : 0) | (l->rsrc1 >> 23 & 1 ? MODE_IEEE : 0) | saturates;
}

static void push(struct wave *w, unsigned *at, uint64_t value, unsigned words)
{
	for (unsigned i = 0; i < words && *at < 16; i++)
		w->s[(*at)++] = (uint32_t)(value >> 32 * i);
}

static void first_sgprs(struct launch *l, struct wave *w, const struct group *g)
{
	unsigned at = 0, user = l->rsrc2 >> 1 & 31;
	uint64_t arguments = (uint64_t)(uintptr_t)l->dispatch.kernarg;
	if (l->properties & USE_PRIVATE_BUFFER) {
		push(w, &at, 0, 2);
		push(w, &at, 0, 2);
	}
	if (l->properties & USE_DISPATCH_PTR)
		push(w, &at, (uint64_t)(uintptr_t)l->packet, 2);
	if (l->properties & USE_QUEUE_PTR)
		push(w, &at, (uint64_t)(uintptr_t)l->queue, 2);
	if (l->properties & USE_KERNARG_PTR)
		push(w, &at, arguments, 2);
	if (l->properties & USE_DISPATCH_ID)
		push(w, &at, 0, 2);
	if (l->properties & USE_FLAT_SCRATCH_INIT)
		push(w, &at, 0, 2);
	if (l->properties & USE_PRIVATE_SIZE)
		push(w, &at, l->scratch_bytes, 1);
	for (unsigned i = 0; i < l->preload_count; i++)
		push(w, &at, word_at((const uint8_t *)l->dispatch.kernarg + 4 * (l->preload_offset + i)), 1);
	at = user;
	if (l->code->isa == ISA_RDNA4) {
		w->s[SGPR_TTMP0 + 9] = g->id[0];
		w->s[SGPR_TTMP0 + 7] = g->id[1] | g->id[2] << 16;
		return;
	}
	for (int i = 0; i < 3; i++)
		if (l->rsrc2 >> (7 + i) & 1)
			w->s[at++] = g->id[i];
	if (l->rsrc2 >> 10 & 1)
		w->s[at++] = 0;
	if (l->code->isa == ISA_CDNA)
		w->s64[SGPR_FLAT_SCRATCH / 2] = (uint64_t)PRIVATE_APERTURE << 32;
}

/* Work-items of a wave: packed ids in v0, EXEC where there is one. A last work-group may be smaller than the others. */
static void first_vgprs(struct wave *w, const uint32_t size[3])
{
	uint32_t items = size[0] * size[1] * size[2], first = w->index * w->lanes,
			count = items - first < w->lanes ? items - first : w->lanes;
	uint32_t x = first % size[0], y = first / size[0] % size[1], z = first / (size[0] * size[1]);
	for (uint32_t i = 0; i < count; i++) {
		w->v[i] = x | y << 10 | z << 20;
		if (++x == size[0]) {
			x = 0;
			if (++y == size[1]) {
				y = 0;
				z++;
			}
		}
	}
	*exec_of(w) = count == w->lanes ? w->all : (1ull << count) - 1;
	expand_exec(w);
}

static void fill(void *p, size_t bytes)
{
	uint32_t *words = p;
	for (size_t i = 0; i < bytes / 4; i++)
		words[i] = UNWRITTEN;
}

static size_t rounded(size_t n) { return (n + 255) & ~(size_t)255; }

/* Memory of ended work-groups, kept from launch to launch: fresh pages cost more than running a small kernel. */
enum { KEPT_BYTES = 64 << 20 };
static struct kept { struct kept *next; size_t size; } *kept;
static size_t kept_bytes;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

static void *take_memory(size_t size)
{
	pthread_mutex_lock(&kept_lock);
	for (struct kept **p = &kept; *p; p = &(*p)->next)
		if ((*p)->size == size) {
			struct kept *k = *p;
			*p = k->next;
			kept_bytes -= size;
			pthread_mutex_unlock(&kept_lock);
			return k;
		}
	pthread_mutex_unlock(&kept_lock);
	return aligned_alloc(256, size);
}

void group_destroy(struct group *g)
{
	struct kept *k = g->memory;
	size_t size = g->memory_size;
	pthread_mutex_lock(&kept_lock);
	while (kept && kept_bytes + size > KEPT_BYTES) {   /* of other sizes, most likely */
		struct kept *old = kept;
		kept = old->next;
		kept_bytes -= old->size;
		free(old);
	}
	if (size <= KEPT_BYTES / 4) {
		*k = (struct kept){ kept, size };
		kept = k;
		kept_bytes += size;
		k = NULL;
	}
	pthread_mutex_unlock(&kept_lock);
	free(k);
}

/* One allocation: group, waves, LDS, then registers and scratch of each wave. */
static struct group *allocate(struct launch *l)
{
	size_t waves = rounded(l->waves_per_group * sizeof(struct wave)), lds = rounded(l->lds_bytes + 64);
	size_t registers = (size_t)l->registers * LANES * 4, scratch = rounded((size_t)l->scratch_bytes * LANES);
	size_t size = rounded(sizeof(struct group)) + waves + lds + l->waves_per_group * (registers + scratch);
	uint8_t *memory = take_memory(size);
	if (!memory)
		return NULL;
	struct group *g = (struct group *)memory;
	memset(g, 0, sizeof *g);
	g->memory = memory;
	g->memory_size = size;
	memory += rounded(sizeof(struct group));
	g->waves = (struct wave *)memory;
	memory += waves;
	g->lds = memory;
	memory += lds;
	for (uint32_t i = 0; i < l->waves_per_group; i++) {
		g->waves[i].v = (uint32_t *)memory;
		g->waves[i].a = g->waves[i].v + l->accum_offset * LANES;
		memory += registers;
		g->waves[i].scratch = memory;
		memory += scratch;
	}
	return g;
}

struct group *group_create(struct launch *l, struct worker *t, uint64_t linear)
{
	struct group *g = t->spare;
	uint32_t size[3], allocated = ((l->rsrc1 & 63) + 1) * 8;
	if (g)
		t->spare = g->next;
	else if (!(g = allocate(l)))
		return NULL;
	g->next = NULL;
	g->linear_id = (uint32_t)linear;
	for (int i = 0; i < 3; i++) {
		g->id[i] = (uint32_t)(linear % l->groups[i]);
		linear /= l->groups[i];
		uint32_t left = l->dispatch.grid[i] - g->id[i] * l->dispatch.workgroup[i];
		size[i] = left < l->dispatch.workgroup[i] ? left : l->dispatch.workgroup[i];
	}
	g->waves_total = (uint32_t)(((uint64_t)size[0] * size[1] * size[2] + l->lanes - 1) / l->lanes);
	g->waves_done = g->waves_waiting = 0;
	g->lds_bytes = l->lds_bytes;
	fill(g->lds, (l->lds_bytes + 3) & ~(size_t)3);
	for (uint32_t i = 0; i < g->waves_total; i++) {
		struct wave *w = &g->waves[i];
		fill(w->s, sizeof w->s);
		fill(w->v, (size_t)(allocated < l->registers ? allocated : l->registers) * LANES * 4);
		fill(w->scratch, (size_t)l->fixed_scratch_bytes * LANES);   /* a deep stack's pages stay untouched until used */
		w->pc = l->entry;
		w->group = g;
		w->worker = t;
		w->scc = w->polls = w->waited = 0;
		w->state = WAVE_READY;
		w->index = (uint8_t)i;
		w->strict_mode = 0;
		w->lanes = l->lanes;
		w->all = l->lanes == 64 ? ~0ull : 0xffffffffull;
		w->scratch_bytes = l->scratch_bytes;
		wave_set_mode(w, first_mode(l));
		first_sgprs(l, w, g);
		first_vgprs(w, size);
	}
	t->stats.waves += g->waves_total;
	t->stats.workgroups++;
	return g;
}
