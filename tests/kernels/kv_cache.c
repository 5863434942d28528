#include "tests/kernels/kv_cache.h"

#include <string.h>

#include "kernels/gpu/layouts.h"
#include "kernels/kv.h"
#include "tests/kernels/gpu/forms.h"

typedef size_t place(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position, uint32_t i);

static size_t element(const struct check_cache *s) { return s->kv_type == GRETA_KV_F32 ? 4 : 2; }

size_t check_cache_bytes(const struct check_cache *s)
{
	return greta_kv_positions(s->context) * s->kv_heads * s->head_dim * element(s);
}

/* Every element goes from its place in one order to that in another. */
static void *reordered(const struct check_cache *s, const void *data, place *from, place *to)
{
	uint8_t *out = check_alloc(check_cache_bytes(s));
	uint32_t positions = (uint32_t)greta_kv_positions(s->context);
	for (uint32_t head = 0; head < s->kv_heads; head++)
		for (uint32_t p = 0; p < positions; p++)
			for (uint32_t i = 0; i < s->head_dim; i++)
				memcpy(out + to(s->context, s->head_dim, head, p, i) * element(s),
				       (const uint8_t *)data + from(s->context, s->head_dim, head, p, i) * element(s),
				       element(s));
	return out;
}

static int has_gpu_order(const char *form) { return forms_target(form)->wave > 1; }

void *check_cache_k(const char *form, const struct check_cache *s, const void *k)
{
	return reordered(s, k, greta_k_index, has_gpu_order(form) ? greta_gpu_k_index : greta_k_index);
}

void *check_cache_v(const char *form, const struct check_cache *s, const void *v)
{
	return reordered(s, v, greta_v_index, has_gpu_order(form) ? greta_gpu_v_index : greta_v_index);
}

void check_same_cache(const char *form, const char *what, const struct check_cache *s, const void *expected_k,
                      const void *k, const void *expected_v, const void *v)
{
	void *own_k = check_cache_k(form, s, expected_k), *own_v = check_cache_v(form, s, expected_v);
	size_t count = check_cache_bytes(s) / element(s);
	forms_same(form, what, own_k, k, count, element(s));
	forms_same(form, what, own_v, v, count, element(s));
	check_free(own_k);
	check_free(own_v);
}
