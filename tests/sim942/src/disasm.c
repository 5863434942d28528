/* Runs llvm-objdump on a code object and returns what it prints. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "code.h"

extern char **environ;

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static char *read_all(int fd)
{
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room);
	while (text) {
		if (size + 1 == room) {
			char *more = realloc(text, room *= 2);
			if (!more)
				break;
			text = more;
		}
		ssize_t k = read(fd, text + size, room - 1 - size);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			text[size] = 0;
			return text;
		}
		size += (size_t)k;
	}
	free(text);
	return NULL;
}

/* Output of one disassembler; NULL if it cannot be run or fails. */
static char *run(const char *program, const char *path)
{
	int ends[2], status;
	pid_t child;
	char *argv[] = { (char *)program, (char *)"-d", (char *)"-z", (char *)path, NULL };
	posix_spawn_file_actions_t actions;
	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	int failed = posix_spawnp(&child, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (failed) {
		close(ends[0]);
		return NULL;
	}
	char *text = read_all(ends[0]);
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	/* An objdump without the AMDGPU target prints no instructions: try the next one. */
	if (text && (!WIFEXITED(status) || WEXITSTATUS(status) || !strstr(text, "//"))) {
		free(text);
		text = NULL;
	}
	return text;
}

char *disassemble(const void *elf, size_t size, char *err, size_t errlen)
{
	/* The newest first: one that is older than the compiler may not know halves of registers. */
	static const char *const programs[] = { "llvm-objdump-22", "llvm-objdump-21", "llvm-objdump-20", "llvm-objdump-19",
			"llvm-objdump-18", "llvm-objdump" };
	const char *dir = getenv("TMPDIR"), *chosen = getenv("SIM942_OBJDUMP");
	char path[4096];
	char *text = NULL;
	snprintf(path, sizeof path, "%s/sim942-XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkstemp(path);
	if (fd < 0 || write_all(fd, elf, size)) {
		snprintf(err, errlen, "cannot write the code object to %s for disassembly: %s", path, strerror(errno));
		if (fd >= 0) {
			close(fd);
			unlink(path);
		}
		return NULL;
	}
	close(fd);
	if (chosen && *chosen) {
		text = run(chosen, path);
		if (!text)
			snprintf(err, errlen, "%s (from SIM942_OBJDUMP) does not disassemble code for AMD GPUs", chosen);
	} else {
		for (size_t i = 0; !text && i < sizeof programs / sizeof *programs; i++)
			text = run(programs[i], path);
		if (!text)
			snprintf(err, errlen, "no llvm-objdump that knows AMD GPUs was found: "
					"install LLVM 18 or newer, or name one in SIM942_OBJDUMP");
	}
	unlink(path);
	return text;
}
