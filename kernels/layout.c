#include "kernels/layout.h"

#include "kernels/abi.h"
#include "kernels/rows16.h"
#include "kernels/tile16.h"

typedef size_t group_bytes(uint32_t type, uint32_t cols);
typedef void pack(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t first_group,
		  uint32_t last_group, void *out);

static size_t rows16_bytes(uint32_t type, uint32_t cols)
{
	return greta_rows16_words(type) ? greta_rows16_group_bytes(type, cols) : 0;
}

static const struct {
	group_bytes *bytes;
	pack *pack;
} LAYOUTS[] = {
    [GRETA_LAYOUT_ROWS16] = {rows16_bytes, greta_rows16_pack},
    [GRETA_LAYOUT_TILE16] = {greta_tile16_group_bytes, greta_tile16_pack},
};

static int packs(uint32_t layout) { return layout < sizeof(LAYOUTS) / sizeof(LAYOUTS[0]) && LAYOUTS[layout].pack; }

size_t greta_layout_group_bytes(uint32_t layout, uint32_t type, uint32_t cols)
{
	return packs(layout) ? LAYOUTS[layout].bytes(type, cols) : 0;
}

void greta_layout_pack(uint32_t layout, uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t groups,
                       void *out)
{
	if (packs(layout))
		LAYOUTS[layout].pack(type, rows, cols, raw, 0, groups, out);
}
