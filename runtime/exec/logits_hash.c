#include "runtime/exec/logits_hash.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum greta_status greta_logits_hash_create(struct greta_logits_hash **out_hash, struct greta_error *error)
{
	XXH3_state_t *state = XXH3_createState();
	if (!state || XXH3_128bits_reset(state) != XXH_OK) {
		XXH3_freeState(state);
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for a hash");
	}
	*out_hash = (struct greta_logits_hash *)state;
	return GRETA_OK;
}

void greta_logits_hash_destroy(struct greta_logits_hash *hash)
{
	if (hash)
		XXH3_freeState((XXH3_state_t *)hash);
}

void greta_logits_hash_add(struct greta_logits_hash *hash, const float *logits, size_t count)
{
	uint8_t bytes[4 * 1024];
	for (size_t first = 0; first < count;) {
		size_t n = 0;
		for (; n < sizeof(bytes) / 4 && first < count; n++, first++) {
			uint32_t bits;
			memcpy(&bits, &logits[first], sizeof(bits));
			for (int k = 0; k < 4; k++)
				bytes[4 * n + (size_t)k] = (uint8_t)(bits >> (8 * k));
		}
		XXH3_128bits_update((XXH3_state_t *)hash, bytes, 4 * n);
	}
}

void greta_logits_hash_text(const struct greta_logits_hash *hash, char out_text[GRETA_LOGITS_HASH_TEXT])
{
	XXH128_canonical_t canonical;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest((const XXH3_state_t *)hash));
	for (size_t i = 0; i < sizeof(canonical.digest); i++)
		snprintf(out_text + 2 * i, 3, "%02x", canonical.digest[i]);
}
