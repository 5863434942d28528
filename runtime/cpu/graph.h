/* Graphs: launches and what each must wait for, as capture builds them; and their executable form, one array of
 * launches in an order that satisfies every edge. Copies and fills are launches too (copy.h). */
#ifndef GRETA_CPU_GRAPH_H
#define GRETA_CPU_GRAPH_H

#include "runtime/cpu/device.h"

/* Some nodes of a graph, by index, each once. */
struct greta_cpu_set {
	uint32_t *at;
	size_t count, capacity;
};

struct hipGraphNode {
	struct greta_cpu_node work; /* work.args points at this node's own `args` */
	size_t args_size;
	struct greta_cpu_set after; /* lower indices */
	bool followed;              /* some node is after this one */
	_Alignas(64) unsigned char args[];
};

struct ihipGraph {
	struct greta_cpu_object object;
	struct hipGraphNode **nodes; /* in the order of capture, which satisfies every edge */
	size_t count, capacity;
};

/* All with the device's lock held; false means no memory and nothing changed. */
bool greta_cpu_set_add(struct greta_cpu_set *set, uint32_t index);
bool greta_cpu_set_add_all(struct greta_cpu_set *set, const struct greta_cpu_set *other);
bool greta_cpu_set_has(const struct greta_cpu_set *set, uint32_t index);
void greta_cpu_set_finish(struct greta_cpu_set *set);

/* An empty graph, the creator's own until it is published; NULL without memory. */
struct ihipGraph *greta_cpu_graph_create(void);
void greta_cpu_graph_destroy(struct ihipGraph *graph);
/* Makes it a handle of the device. */
void greta_cpu_graph_publish(struct greta_cpu_device *device, struct ihipGraph *graph);
/* Adds a node, its arguments copied, to run after those of a set, which becomes the node alone: what comes next in a
 * stream comes after it. On false (no memory) nothing has changed. */
bool greta_cpu_graph_add(struct ihipGraph *graph, const struct greta_cpu_node *work, size_t args_size,
    struct greta_cpu_set *inout_after);

#endif
