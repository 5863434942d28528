#include "bench/parity/points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE(id, name, block, text) +1
enum { BEFORE = 0 GRETA_PARITY_BEFORE(ONE), IN_LAYER = 0 GRETA_PARITY_LAYER(ONE), BEHIND = 0 GRETA_PARITY_BEHIND(ONE) };
#undef ONE

static const struct greta_parity_point_info INFOS[] = {
#define X(id, name, block, text) {name, text, GRETA_BLOCK_##block},
	GRETA_PARITY_POINTS(X)
#undef X
};

static const char *const BLOCKS[] = {
#define X(name, text) text,
	GRETA_BLOCKS(X)
#undef X
};

const struct greta_parity_point_info *greta_parity_point_info(enum greta_parity_point point)
{
	return &INFOS[point];
}

const char *greta_parity_block_name(enum greta_block block)
{
	return BLOCKS[block];
}

size_t greta_parity_places(uint32_t layers)
{
	return BEFORE + (size_t)layers * IN_LAYER + BEHIND;
}

size_t greta_parity_place(uint32_t layers, enum greta_parity_point point, uint32_t layer)
{
	if (layer != GRETA_PLAN_NONE)
		return (size_t)layer * IN_LAYER + point;
	return (int)point < BEFORE ? point : point + ((size_t)layers * IN_LAYER - IN_LAYER);
}

enum greta_parity_point greta_parity_place_point(uint32_t layers, size_t place)
{
	if (place < BEFORE)
		return (enum greta_parity_point)place;
	if (greta_parity_place_layer(layers, place) == GRETA_PLAN_NONE)
		return (enum greta_parity_point)(place - (size_t)layers * IN_LAYER + IN_LAYER);
	return (enum greta_parity_point)(BEFORE + (place - BEFORE) % IN_LAYER);
}

uint32_t greta_parity_place_layer(uint32_t layers, size_t place)
{
	if (place < BEFORE || place >= BEFORE + (size_t)layers * IN_LAYER)
		return GRETA_PLAN_NONE;
	return (uint32_t)((place - BEFORE) / IN_LAYER);
}

bool greta_parity_place_of(uint32_t layers, const char *buffer, size_t *out_place)
{
	const char *dot = strrchr(buffer, '.');
	size_t length = dot ? (size_t)(dot - buffer) : strlen(buffer);
	for (int p = 0; p < GRETA_POINT_COUNT; p++) {
		bool in_layer = p >= BEFORE && p < BEFORE + IN_LAYER;
		if (in_layer != (dot != NULL) || strlen(INFOS[p].name) != length ||
		    memcmp(INFOS[p].name, buffer, length) != 0)
			continue;
		unsigned long layer = dot ? strtoul(dot + 1, NULL, 10) : GRETA_PLAN_NONE;
		if (dot && layer >= layers)
			return false;
		*out_place = greta_parity_place(layers, (enum greta_parity_point)p, (uint32_t)layer);
		return true;
	}
	return false;
}

const char *greta_parity_place_name(uint32_t layers, size_t place, char out[GRETA_PARITY_NAME_MAX])
{
	uint32_t layer = greta_parity_place_layer(layers, place);
	const char *name = INFOS[greta_parity_place_point(layers, place)].name;
	if (layer == GRETA_PLAN_NONE)
		snprintf(out, GRETA_PARITY_NAME_MAX, "%s", name);
	else
		snprintf(out, GRETA_PARITY_NAME_MAX, "%s.%u", name, layer);
	return out;
}
