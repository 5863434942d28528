#include "models/gguf.h"

#define XXH_INLINE_ALL /* a state on the stack: no allocation, so nothing here can fail */
#include <xxhash.h>

#include <string.h>

enum { EDGE_BYTES = 4096 };

_Static_assert(sizeof(XXH128_canonical_t) == GRETA_FINGERPRINT_BYTES, "the fingerprint is an XXH3-128");

void greta_gguf_fingerprint(const struct greta_gguf *gguf, uint8_t out_fingerprint[GRETA_FINGERPRINT_BYTES])
{
	uint64_t size = greta_gguf_size(gguf);
	XXH3_state_t state;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, greta_gguf_data(gguf), greta_gguf_data_offset(gguf));
	XXH3_128bits_update(&state, &size, sizeof(size));
	for (size_t i = 0; i < greta_gguf_tensor_count(gguf); i++) {
		const struct greta_gguf_tensor *tensor = greta_gguf_tensor(gguf, i);
		const unsigned char *data = tensor->data;
		if (tensor->bytes <= 2 * EDGE_BYTES) {
			XXH3_128bits_update(&state, data, tensor->bytes);
		} else {
			XXH3_128bits_update(&state, data, EDGE_BYTES);
			XXH3_128bits_update(&state, data + tensor->bytes - EDGE_BYTES, EDGE_BYTES);
		}
	}
	XXH128_canonical_t canonical;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
	memcpy(out_fingerprint, canonical.digest, GRETA_FINGERPRINT_BYTES);
}
