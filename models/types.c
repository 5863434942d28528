#include "models/types.h"

#include <stddef.h>

static const struct greta_type_info TYPES[] = {
#define X(name, id, spelling, values, bytes) {GRETA_TYPE_##name, spelling, values, bytes},
    GRETA_TYPES(X)
#undef X
};

const struct greta_type_info *greta_type_info(uint32_t id)
{
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		if ((uint32_t)TYPES[i].type == id)
			return &TYPES[i];
	return NULL;
}
