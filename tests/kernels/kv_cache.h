/* KV caches of random steps, in the reference's order and in a form's. */
#ifndef GRETA_TESTS_KV_CACHE_H
#define GRETA_TESTS_KV_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct check_cache {
	uint32_t kv_heads, head_dim, kv_type, context;
};

/* Of K, or of V; the same in every order. */
size_t check_cache_bytes(const struct check_cache *shape);

/* K and V in the reference's order, brought into the order of `form` (its own memory, for check_free). */
void *check_cache_k(const char *form, const struct check_cache *shape, const void *k);
void *check_cache_v(const char *form, const struct check_cache *shape, const void *v);

/* Fails unless K and V of `form` are, element by element, those of the reference. */
void check_same_cache(const char *form, const char *what, const struct check_cache *shape, const void *expected_k,
                      const void *k, const void *expected_v, const void *v);

#endif
