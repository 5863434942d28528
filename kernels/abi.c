#include "kernels/abi.h"

#include <xxhash.h>

#define FIELD_IN(type, field) {#field, GRETA_IN, offsetof(args, field)},
#define FIELD_OUT(type, field) {#field, GRETA_OUT, offsetof(args, field)},
#define FIELD_IO(type, field) {#field, GRETA_IO, offsetof(args, field)},
#define FIELD_U32(field) {#field, GRETA_U32, offsetof(args, field)},
#define FIELD_I32(field) {#field, GRETA_I32, offsetof(args, field)},
#define FIELD_F32(field) {#field, GRETA_F32, offsetof(args, field)},

/* One function per kernel, because only inside a function can `args` name each struct in turn. */
#define X(name)                                                                                                        \
	static const struct greta_kernel_info *name##_info(void)                                                       \
	{                                                                                                              \
		typedef struct greta_##name##_args args;                                                               \
		static const struct greta_field fields[] = {                                                           \
		    GRETA_ARGS_##name(FIELD_IN, FIELD_OUT, FIELD_IO, FIELD_U32, FIELD_I32, FIELD_F32)};                \
		static const struct greta_kernel_info info = {#name, sizeof(args),                                     \
		                                              sizeof(fields) / sizeof(fields[0]), fields};             \
		return &info;                                                                                          \
	}
GRETA_KERNELS(X)
#undef X

const struct greta_kernel_info *greta_kernel_info(uint32_t kernel)
{
	switch (kernel) {
#define X(name) case GRETA_KERNEL_##name: return name##_info();
		GRETA_KERNELS(X)
#undef X
	default: return NULL;
	}
}

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	return XXH3_64bits_withSeed(data, size, hash);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return mix(hash, text, __builtin_strlen(text));
}

uint64_t greta_abi_hash(void)
{
	const uint32_t constants[] = {
	    sizeof(struct greta_state),
	    offsetof(struct greta_state, fault),
	    offsetof(struct greta_state, seed),
	    offsetof(struct greta_state, top_k),
	    GRETA_ATTENTION_CHUNK,
	    GRETA_KV_TILE,
	    GRETA_CPU_DIGITS_BLOCK_BYTES,
	    GRETA_GPU_DIGITS_BLOCK_BYTES,
	};
	uint64_t hash = mix(0, constants, sizeof(constants));
	for (uint32_t k = 0; k < GRETA_KERNEL_COUNT; k++) {
		const struct greta_kernel_info *info = greta_kernel_info(k);
		hash = mix_text(hash, info->name);
		for (uint32_t f = 0; f < info->field_count; f++) {
			const uint32_t place[] = {info->fields[f].kind, info->fields[f].offset};
			hash = mix_text(hash, info->fields[f].name);
			hash = mix(hash, place, sizeof(place));
		}
	}
	return hash;
}

int greta_type_bits(uint32_t type)
{
	switch (type) {
	case GRETA_TYPE_Q4_0: return 11; /* 256 * 8 */
	case GRETA_TYPE_Q8_0: return 15; /* 256 * 128 */
	case GRETA_TYPE_Q4_K: return 18; /* 256 * 63 * (15 + 1) */
	case GRETA_TYPE_Q5_K: return 19; /* 256 * 63 * (31 + 1) */
	case GRETA_TYPE_Q6_K: return 20; /* 256 * 128 * 32 */
	default: return 8;               /* 256 */
	}
}
