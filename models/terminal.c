#include "models/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void greta_terminal_line(const char *format, ...)
{
	va_list list;
	if (!isatty(STDERR_FILENO))
		return;
	va_start(list, format);
	fputs("\r\033[K", stderr);
	vfprintf(stderr, format, list); /* NOLINT(clang-analyzer-valist.Uninitialized): it is, two lines above */
	va_end(list);
	fflush(stderr);
}

void greta_terminal_progress(void *user, const char *what, uint64_t done, uint64_t total)
{
	(void)user;
	if (done < total)
		greta_terminal_line("%s: %3.0f%%", what, 100.0 * (double)done / (double)total);
	else
		greta_terminal_line("%s", "");
}
