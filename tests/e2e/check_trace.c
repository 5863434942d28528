/* Whether a trace of greta-exec is one that Perfetto takes, and whole:
 *
 *     check-trace FILE TOKENS [STEPS_KEPT]
 *
 * Every event has the members that its phase must have, of their types; ranges (B, E) are balanced on every track and
 * never end before they begin; complete events (X) of a track do not overlap; launches fill their blocks and blocks
 * their steps to the last nanosecond; every flow has one start and one end; every token waited for is there once. */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACKS 8 /* of a process */
#define FLOWS 100000

static int faults;

static void fault(const char *what, size_t event)
{
	if (faults++ < 20)
		fprintf(stderr, "event %zu: %s\n", event, what);
}

/* ---- Members ---- */

/* Of each phase: names with the first letter of their type. */
static const struct {
	const char *phase, *members;
} PHASES[] = {
    {"M", "name:s pid:i tid:i args:o"},
    {"B", "name:s cat:s pid:i tid:i ts:n args:o"},
    {"E", "pid:i tid:i ts:n"},
    {"X", "name:s cat:s pid:i tid:i ts:n dur:n args:o"},
    {"i", "name:s cat:s pid:i tid:i ts:n s:s args:o"},
    {"s", "name:s cat:s pid:i tid:i ts:n id:i"},
    {"t", "name:s cat:s pid:i tid:i ts:n id:i"},
    {"f", "name:s cat:s pid:i tid:i ts:n id:i bp:s"},
};

static bool is(const json_t *value, char type)
{
	switch (type) {
	case 's': return json_is_string(value) && *json_string_value(value);
	case 'i': return json_is_integer(value) && json_integer_value(value) >= 0;
	case 'n': return json_is_number(value) && isfinite(json_number_value(value)) && json_number_value(value) >= 0;
	default: return json_is_object(value);
	}
}

static void check_members(const json_t *event, size_t number)
{
	const char *phase = json_string_value(json_object_get(event, "ph"));
	size_t expected = 1;
	for (size_t p = 0; phase && p < sizeof(PHASES) / sizeof(PHASES[0]); p++) {
		if (strcmp(phase, PHASES[p].phase) != 0)
			continue;
		for (const char *m = PHASES[p].members; *m; m += strcspn(m, " ") + (m[strcspn(m, " ")] == ' ')) {
			char name[16];
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(m, ":"), m);
			if (!is(json_object_get(event, name), m[strlen(name) + 1]))
				fault("a member is missing or of another type", number);
			expected++;
		}
		if (json_object_size(event) != expected)
			fault("it has a member that its phase does not", number);
		return;
	}
	fault("no phase that there is", number);
}

/* ---- Tracks ---- */

struct track {
	const char *open[64]; /* names of ranges */
	size_t depth, spans;
	double last, end; /* of the last range's event; of the last complete event */
};

static struct track tracks[3][TRACKS];
static double sums[3][TRACKS]; /* of complete events */
static unsigned char flows[FLOWS];

static double number(const json_t *event, const char *member) { return json_number_value(json_object_get(event, member)); }

static void check_range(struct track *track, const json_t *event, char phase, size_t i)
{
	double ts = number(event, "ts");
	if (ts < track->last)
		fault("a range goes back in time", i);
	track->last = ts;
	if (phase == 'B' && track->depth < 64)
		track->open[track->depth++] = json_string_value(json_object_get(event, "name"));
	else if (phase == 'E' && track->depth)
		track->depth--;
	else
		fault("ranges are not balanced", i);
}

/* Within the half nanosecond that a printed number is rounded by. */
static void check_span(struct track *track, const json_t *event, size_t i)
{
	double ts = number(event, "ts");
	if (ts < track->end - 0.002)
		fault("complete events overlap", i);
	track->end = ts + number(event, "dur");
	track->spans++;
}

static void check_flow(const json_t *event, char phase, size_t i)
{
	json_int_t id = json_integer_value(json_object_get(event, "id"));
	unsigned char bit = phase == 's' ? 1 : phase == 't' ? 2 : 4;
	if (id >= FLOWS || flows[id] & bit)
		fault("a flow has two of one kind", i);
	else
		flows[id] |= bit;
}

static void check_event(const json_t *event, size_t i)
{
	const char *phase = json_string_value(json_object_get(event, "ph"));
	json_int_t pid = json_integer_value(json_object_get(event, "pid")), tid = json_integer_value(json_object_get(event, "tid"));
	check_members(event, i);
	if (pid < 1 || pid > 2 || tid < 0 || tid >= TRACKS) {
		fault("no process or track that there is", i);
		return;
	}
	struct track *track = &tracks[pid][tid];
	switch (phase ? *phase : 0) {
	case 'B':
	case 'E': check_range(track, event, *phase, i); break;
	case 'X':
		check_span(track, event, i);
		sums[pid][tid] += number(event, "dur");
		break;
	case 's':
	case 't':
	case 'f': check_flow(event, *phase, i); break;
	default: break;
	}
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *trace = argc > 2 ? json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error) : NULL, *event;
	size_t i, tokens = 0, steps;
	if (!trace) {
		fprintf(stderr, "%s\n", argc > 2 ? error.text : "check-trace FILE TOKENS [STEPS_KEPT]");
		return 2;
	}
	const json_t *events = json_object_get(trace, "traceEvents");
	json_array_foreach(events, i, event) {
		check_event(event, i);
		const char *name = json_string_value(json_object_get(event, "name"));
		tokens += name && strcmp(name, "token") == 0;
	}
	for (int p = 0; p < 3; p++)
		for (int t = 0; t < TRACKS; t++)
			if (tracks[p][t].depth)
				fault("a range is not ended", 0);
	for (i = 0; i < FLOWS; i++)
		if (flows[i] && (flows[i] & 5) != 5)
			fault("a flow has no start or no end", i);
	steps = (size_t)json_integer_value(json_object_get(json_object_get(trace, "otherData"), "steps_kept"));
	if (!steps || tracks[2][1].spans != steps || (argc > 3 && steps != strtoul(argv[3], NULL, 10)))
		fault("another number of steps than it says", steps);
	if (tokens != strtoul(argv[2], NULL, 10))
		fault("another number of tokens than was generated", tokens);
	/* Steps are made of blocks, and blocks (but for what a stamp takes) of launches. */
	if (fabs(sums[2][1] - sums[2][2]) > 0.001 * (double)(tracks[2][2].spans + steps) || sums[2][3] > sums[2][2] ||
	    sums[2][3] <= 0 || tracks[2][3].spans <= tracks[2][2].spans / 2)
		fault("its blocks are not its steps", 0);
	printf("%zu events, %zu steps, %zu blocks, %zu launches, %zu tokens: %d faults\n", json_array_size(events),
	       steps, tracks[2][2].spans, tracks[2][3].spans, tokens, faults);
	json_decref(trace);
	return faults ? 1 : 0;
}
