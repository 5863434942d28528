/* One hash over many logit vectors: what two ways of computing the same text are compared by. */
#ifndef GRETA_EXEC_LOGITS_HASH_H
#define GRETA_EXEC_LOGITS_HASH_H

#include "models/error.h"

#include <stddef.h>

struct greta_logits_hash; /* XXH3-128 over the vectors' values as little-endian fp32, one after the other */

#define GRETA_LOGITS_HASH_TEXT 33 /* 32 hexadecimal digits, canonical byte order, and a zero */

enum greta_status greta_logits_hash_create(struct greta_logits_hash **out_hash, struct greta_error *error);
void greta_logits_hash_destroy(struct greta_logits_hash *hash);

void greta_logits_hash_add(struct greta_logits_hash *hash, const float *logits, size_t count);

/* Of what was added so far. */
void greta_logits_hash_text(const struct greta_logits_hash *hash, char out_text[GRETA_LOGITS_HASH_TEXT]);

#endif
