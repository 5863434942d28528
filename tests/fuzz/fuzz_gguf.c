/* Feeds any bytes to the GGUF reader and to what reads hyper-parameters and vocabularies from it: nothing may
 * crash, and what opens must be safe to walk. */
#include "models/llama.h"
#include "models/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned walk_arrays(const struct greta_gguf *gguf)
{
	unsigned sum = 0;
	for (size_t i = 0; i < greta_gguf_key_count(gguf); i++) {
		struct greta_gguf_string key = greta_gguf_key(gguf, i), text = {0};
		struct greta_gguf_array array;
		char name[128];
		snprintf(name, sizeof(name), "%.*s", GRETA_GGUF_PRINT(key));
		if (!greta_gguf_get_string(gguf, name, &text, NULL) && text.length)
			sum += (unsigned char)text.data[text.length - 1];
		if (greta_gguf_get_array(gguf, name, &array, NULL) || array.kind == GRETA_GGUF_ARRAY)
			continue;
		for (size_t n = 0; array.kind != GRETA_GGUF_STRING && n < array.count; n++)
			sum += greta_gguf_array_float(&array, n) > 0;
		while (array.kind == GRETA_GGUF_STRING && greta_gguf_array_next_string(&array, &text))
			sum += text.length ? (unsigned char)text.data[text.length - 1] : 0;
	}
	return sum;
}

static unsigned walk_tensors(const struct greta_gguf *gguf)
{
	uint8_t fingerprint[GRETA_FINGERPRINT_BYTES];
	unsigned sum = 0;
	for (size_t i = 0; i < greta_gguf_tensor_count(gguf); i++) {
		const struct greta_gguf_tensor *tensor = greta_gguf_tensor(gguf, i);
		sum += ((const unsigned char *)tensor->data)[tensor->bytes - 1];
	}
	greta_gguf_fingerprint(gguf, fingerprint);
	return sum + fingerprint[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct greta_gguf *gguf = NULL;
	struct greta_llama llama;
	struct greta_tokenizer *tokenizer = NULL;
	struct greta_error error;
	volatile unsigned sum = 0;
	void *copy = malloc(size ? size : 1); /* aligned */
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (greta_gguf_open_memory(copy, size, "fuzz", &gguf, &error) == GRETA_OK) {
		sum = sum + walk_arrays(gguf) + walk_tensors(gguf);
		if (greta_llama_init(&llama, gguf, &error) == GRETA_OK)
			greta_llama_finish(&llama);
		if (greta_tokenizer_create(gguf, &tokenizer, &error) == GRETA_OK)
			greta_tokenizer_destroy(tokenizer);
		greta_gguf_close(gguf);
	}
	free(copy);
	return 0;
}
