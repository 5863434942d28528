#include "models/error.h"

#include "models/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in messages come from files and may hold anything: what is not printable UTF-8 becomes '?', and a character
 * cut by the buffer's end goes. */
static void make_printable(char *message)
{
	size_t length = strlen(message);
	for (size_t i = 0, bytes; i < length; i += bytes) {
		switch (greta_utf8_front(message + i, length - i, &bytes)) {
		case GRETA_UTF8_COMPLETE:
			if ((unsigned char)message[i] < 0x20 || message[i] == 0x7f)
				message[i] = '?';
			break;
		case GRETA_UTF8_BROKEN:
			memset(message + i, '?', bytes);
			break;
		case GRETA_UTF8_UNFINISHED:
			message[i] = '\0';
			return;
		}
	}
}

enum greta_status greta_fail(struct greta_error *error, enum greta_status status, const char *format, ...)
{
	if (!error)
		return status;
	va_list list;
	va_start(list, format);
	error->status = status;
	if (vsnprintf(error->message, sizeof(error->message), format, list) < 0)
		error->message[0] = '\0';
	va_end(list);
	make_printable(error->message);
	return status;
}
