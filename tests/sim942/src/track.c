/* The memory ranges that programs may touch. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "code.h"
#include "state.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct range *ranges;   /* sorted by begin */
static size_t count, room;
static _Atomic size_t tracked;
static _Atomic uint64_t version = 1;

/* Index of the first range that begins above the address. */
static size_t above(uintptr_t address)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (ranges[middle].begin > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void sim942_track(const void *address, size_t size)
{
	uintptr_t begin = (uintptr_t)address;
	pthread_rwlock_wrlock(&lock);
	if (count == room) {
		size_t wanted = room ? 2 * room : 64;
		struct range *more = realloc(ranges, wanted * sizeof *more);
		if (!more) {
			fprintf(stderr, "sim942: out of memory for the table of tracked ranges\n");
			abort();
		}
		ranges = more;
		room = wanted;
	}
	size_t at = above(begin);
	memmove(ranges + at + 1, ranges + at, (count - at) * sizeof *ranges);
	ranges[at] = (struct range){ begin, begin + size };
	atomic_store(&tracked, ++count);
	atomic_fetch_add(&version, 1);
	pthread_rwlock_unlock(&lock);
}

void sim942_untrack(const void *address)
{
	uintptr_t begin = (uintptr_t)address;
	pthread_rwlock_wrlock(&lock);
	size_t at = above(begin);
	if (at && ranges[at - 1].begin == begin) {
		memmove(ranges + at - 1, ranges + at, (count - at) * sizeof *ranges);
		atomic_store(&tracked, --count);
		atomic_fetch_add(&version, 1);
	}
	pthread_rwlock_unlock(&lock);
}

static bool within(struct range r, uintptr_t address, size_t size)
{
	return address >= r.begin && address <= r.end && size <= r.end - address;
}

bool range_allowed(struct worker *t, uintptr_t address, size_t size)
{
	uint64_t now;
	if (atomic_load_explicit(&tracked, memory_order_relaxed) == 0)
		return address >= 4096 && address < (1ull << 47) && size < (1ull << 40);
	now = atomic_load_explicit(&version, memory_order_acquire);
	if (t->recent_version == now && within(t->recent, address, size))
		return true;
	for (size_t i = 0; i < sizeof t->launch->extra / sizeof *t->launch->extra; i++)
		if (within(t->launch->extra[i], address, size))
			return true;
	bool found = false;
	pthread_rwlock_rdlock(&lock);
	for (size_t at = above(address); at-- > 0 && !found;) {   /* ranges may nest, so a miss looks further down a little */
		if (within(ranges[at], address, size)) {
			t->recent = ranges[at];
			t->recent_version = now;
			found = true;
		} else if (at + 8 < above(address)) {
			break;
		}
	}
	pthread_rwlock_unlock(&lock);
	if (!found) {
		const struct sim942_code *code = code_of_address((const void *)address);
		struct range image = { 0, 0 };
		if (code)
			image = (struct range){ (uintptr_t)code->image, (uintptr_t)code->image + code->image_size };
		found = within(image, address, size);
		if (found) {
			t->recent = image;
			t->recent_version = now;
		}
	}
	return found;
}

void ranges_changed(void) { atomic_fetch_add(&version, 1); }

void range_check_fault(struct wave *w, const struct insn *in, int lane, uintptr_t address, size_t size, bool write)
{
	const char *what = write ? "write" : "read";
	if (atomic_load(&tracked) == 0)
		fault(w, in, lane, "%s of %zu bytes at 0x%llx, which is no user address", what, size, (unsigned long long)address);
	struct range below = {0}, next = {0};
	pthread_rwlock_rdlock(&lock);
	size_t at = above(address);
	if (at)
		below = ranges[at - 1];
	if (at < count)
		next = ranges[at];
	pthread_rwlock_unlock(&lock);
	char near[160] = "";
	if (below.end)
		snprintf(near, sizeof near, "; the range below is 0x%llx + %llu bytes, which ends %lld bytes before it",
				(unsigned long long)below.begin,
			(unsigned long long)(below.end - below.begin), (long long)(address - below.end));
	else if (next.end)
		snprintf(near, sizeof near, "; the range above starts %llu bytes after it",
				(unsigned long long)(next.begin - address));
	fault(w, in, lane, "%s of %zu bytes at 0x%llx is outside all tracked memory%s", what, size,
			(unsigned long long)address, near);
}
