#include "planner/draft.h"

#include <stdlib.h>
#include <string.h>

#define SECTION_ALIGNMENT 64

static const size_t ITEM_BYTES[GRETA_PLAN_SECTION_COUNT] = {
    [GRETA_PLAN_TENSORS] = sizeof(struct greta_plan_tensor),
    [GRETA_PLAN_BUFFERS] = sizeof(struct greta_plan_buffer),
    [GRETA_PLAN_PROGRAMS] = sizeof(struct greta_plan_program),
    [GRETA_PLAN_LAUNCHES] = sizeof(struct greta_plan_launch),
    [GRETA_PLAN_RELOCS] = sizeof(struct greta_plan_reloc),
    [GRETA_PLAN_ARGS] = 1,
    [GRETA_PLAN_CONSTANTS] = 1,
    [GRETA_PLAN_STRINGS] = 1,
};

void greta_draft_finish(struct greta_draft *draft)
{
	for (int s = 0; s < GRETA_PLAN_SECTION_COUNT; s++)
		free(draft->sections[s].data);
	*draft = (struct greta_draft){0};
}

void greta_draft_add(struct greta_draft *draft, enum greta_plan_section section, const void *data, size_t bytes)
{
	struct greta_draft_table *table = &draft->sections[section];
	if (bytes > table->room - table->count) {
		size_t room = table->room * 2 > table->count + bytes ? table->room * 2 : table->count + bytes + 1024;
		uint8_t *larger = realloc(table->data, room);
		if (!larger) {
			draft->failed = true;
			return;
		}
		table->data = larger;
		table->room = room;
	}
	memcpy(table->data + table->count, data, bytes);
	table->count += bytes;
}

uint32_t greta_draft_string(struct greta_draft *draft, const char *text, size_t length)
{
	const struct greta_draft_table *table = &draft->sections[GRETA_PLAN_STRINGS];
	if (table->count == 0)
		greta_draft_add(draft, GRETA_PLAN_STRINGS, "", 1);
	for (size_t at = 0; at < table->count;) {
		const char *known = (const char *)table->data + at;
		size_t known_length = strlen(known);
		if (known_length == length && !memcmp(known, text, length))
			return (uint32_t)at;
		at += known_length + 1;
	}
	size_t at = table->count;
	greta_draft_add(draft, GRETA_PLAN_STRINGS, text, length);
	greta_draft_add(draft, GRETA_PLAN_STRINGS, "", 1);
	return draft->failed ? 0 : (uint32_t)at;
}

size_t greta_draft_count(const struct greta_draft *draft, enum greta_plan_section section)
{
	return draft->sections[section].count / ITEM_BYTES[section];
}

void *greta_draft_at(struct greta_draft *draft, enum greta_plan_section section, size_t index)
{
	return draft->sections[section].data + index * ITEM_BYTES[section];
}

enum greta_status greta_draft_write(struct greta_draft *draft, struct greta_plan_image *out_image,
				    struct greta_error *error)
{
	struct greta_plan_header *header = &draft->header;
	size_t size = sizeof(*header);
	for (int s = 0; s < GRETA_PLAN_SECTION_COUNT; s++) {
		size = (size + SECTION_ALIGNMENT - 1) / SECTION_ALIGNMENT * SECTION_ALIGNMENT;
		header->sections[s].offset = size;
		header->sections[s].count = greta_draft_count(draft, (enum greta_plan_section)s);
		size += draft->sections[s].count;
	}
	size = (size + SECTION_ALIGNMENT - 1) / SECTION_ALIGNMENT * SECTION_ALIGNMENT;
	uint8_t *data = draft->failed ? NULL : aligned_alloc(SECTION_ALIGNMENT, size);
	if (!data)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for a plan of %zu bytes", size);
	memset(data, 0, size);
	for (int s = 0; s < GRETA_PLAN_SECTION_COUNT; s++)
		if (draft->sections[s].count)
			memcpy(data + header->sections[s].offset, draft->sections[s].data, draft->sections[s].count);
	header->magic = GRETA_PLAN_MAGIC;
	header->version = GRETA_PLAN_VERSION;
	header->header_bytes = sizeof(*header);
	header->file_bytes = size;
	memcpy(data, header, sizeof(*header));
	header->checksum = greta_plan_checksum(data, size);
	memcpy(data, header, sizeof(*header));
	*out_image = (struct greta_plan_image){data, size};
	return GRETA_OK;
}

void greta_plan_image_finish(struct greta_plan_image *image)
{
	free(image->data);
	*image = (struct greta_plan_image){0};
}
