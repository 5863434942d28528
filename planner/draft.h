/* A plan in the making: its tables as growing arrays, in the very structs of the file. */
#ifndef GRETA_PLANNER_DRAFT_H
#define GRETA_PLANNER_DRAFT_H

#include "planner/planner.h"

#include <stdbool.h>

struct greta_draft_table {
	uint8_t *data;
	size_t count, room; /* bytes */
};

struct greta_draft {
	struct greta_plan_header header; /* offsets, sizes and checksum are filled in by greta_draft_write */
	struct greta_draft_table sections[GRETA_PLAN_SECTION_COUNT];
	bool failed; /* out of memory: what was added since is lost */
};

void greta_draft_finish(struct greta_draft *draft);

/* Adds `bytes` at the end of a section; *at tells where they begin. */
void greta_draft_add(struct greta_draft *draft, enum greta_plan_section section, const void *data, size_t bytes);

/* The offset of a string, which is added where it is new. `length` bytes, no NUL among them. */
uint32_t greta_draft_string(struct greta_draft *draft, const char *text, size_t length);

/* Structs in a section, and one of them. */
size_t greta_draft_count(const struct greta_draft *draft, enum greta_plan_section section);
void *greta_draft_at(struct greta_draft *draft, enum greta_plan_section section, size_t index);

/* Lays the sections out, completes the header, and gives the file's bytes.
 * MEMORY, also for an earlier failed addition. */
enum greta_status greta_draft_write(struct greta_draft *draft, struct greta_plan_image *out_image,
				    struct greta_error *error);

#endif
