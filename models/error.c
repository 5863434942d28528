#include "models/error.h"

#include <stdarg.h>
#include <stdio.h>

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
	return status;
}
