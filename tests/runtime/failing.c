#include "tests/runtime/failing.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

static atomic_ulong calls, chosen;
static _Atomic(const char *) failed;
static atomic_long mappings;

void failing_arm(unsigned long nth)
{
	atomic_store(&calls, 0);
	atomic_store(&chosen, nth);
	atomic_store(&failed, NULL);
}

unsigned long failing_calls(void)
{
	return atomic_load(&calls);
}

const char *failing_name(void)
{
	return atomic_load(&failed);
}

long failing_mappings(void)
{
	return atomic_load(&mappings);
}

static bool fails(const char *name)
{
	if (atomic_fetch_add(&calls, 1) + 1 != atomic_load(&chosen))
		return false;
	atomic_store(&failed, name);
	errno = ENOMEM;
	return true;
}

/* X(result, name, parameters, arguments, what a failure returns) */
#define WRAPPED(X)                                                                                                     \
	X(void *, malloc, (size_t size), (size), NULL)                                                                 \
	X(void *, calloc, (size_t count, size_t size), (count, size), NULL)                                            \
	X(void *, realloc, (void *old, size_t size), (old, size), NULL)                                                \
	X(void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size), NULL)                      \
	X(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL)                             \
	X(int, posix_memalign, (void **out, size_t alignment, size_t size), (out, alignment, size), ENOMEM)            \
	X(char *, strdup, (const char *text), (text), NULL)                                                            \
	X(char *, strndup, (const char *text, size_t most), (text, most), NULL)                                        \
	X(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)                                     \
	X(FILE *, fopen64, (const char *path, const char *mode), (path, mode), NULL)                                   \
	X(FILE *, fdopen, (int fd, const char *mode), (fd, mode), NULL)                                                \
	X(int, pthread_create, (pthread_t *out, const pthread_attr_t *how, void *(*run)(void *), void *argument),      \
	  (out, how, run, argument), EAGAIN)

#define X(result, name, parameters, arguments, failure)                                                                \
	result __real_##name parameters;                                                                               \
	result __wrap_##name parameters;                                                                               \
	result __wrap_##name parameters                                                                                \
	{                                                                                                              \
		return fails(#name) ? failure : __real_##name arguments;                                               \
	}
WRAPPED(X)
#undef X

int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list list;
	if (fails("asprintf"))
		return -1;
	va_start(list, format);
	int length = vasprintf(out, format, list);
	va_end(list);
	return length;
}

/* Under either name: with 64-bit file offsets the C library links mmap as mmap64. */
#define MMAP(name)                                                                                                     \
	void *__real_##name(void *address, size_t size, int protection, int flags, int fd, off_t offset);              \
	void *__wrap_##name(void *address, size_t size, int protection, int flags, int fd, off_t offset);              \
	void *__wrap_##name(void *address, size_t size, int protection, int flags, int fd, off_t offset)               \
	{                                                                                                              \
		void *mapping = fails("mmap") ? MAP_FAILED                                                             \
					      : __real_##name(address, size, protection, flags, fd, offset);           \
		if (mapping != MAP_FAILED)                                                                             \
			atomic_fetch_add(&mappings, 1);                                                                \
		return mapping;                                                                                        \
	}
MMAP(mmap)
MMAP(mmap64)

int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size)
{
	atomic_fetch_sub(&mappings, 1);
	return __real_munmap(address, size);
}
