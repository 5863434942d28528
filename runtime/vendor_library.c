#include "runtime/vendor_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym's result holds a function's address");

static void *open_one(const char *name, char *reason, size_t size)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library)
		return library;
	const char *text = dlerror();
	/* "NAME: cannot open …" is the library itself that is missing: kept only while there is nothing better */
	size_t length = strlen(name);
	_Bool missing = !text || (!strncmp(text, name, length) && strstr(text, "cannot open shared object file"));
	if (!missing || !reason[0])
		snprintf(reason, size, "%s", text ? text : "no reason given");
	return NULL;
}

enum greta_status greta_vendor_library_open(const char *what, const char *const *names, const char *wanted,
    void **out_library, char out_name[GRETA_VENDOR_LIBRARY_NAME_MAX], struct greta_error *error)
{
	const char *const only[] = { wanted, NULL };
	char tried[192] = "", reason[192] = "";
	if (wanted && strlen(wanted) >= GRETA_VENDOR_LIBRARY_NAME_MAX)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%s: the name of its library is longer than %d bytes",
		    what, GRETA_VENDOR_LIBRARY_NAME_MAX - 1);
	for (const char *const *name = wanted ? only : names; *name; name++) {
		void *library = open_one(*name, reason, sizeof(reason));
		if (library) {
			snprintf(out_name, GRETA_VENDOR_LIBRARY_NAME_MAX, "%s", *name);
			*out_library = library;
			return GRETA_OK;
		}
		size_t used = strlen(tried);
		snprintf(tried + used, sizeof(tried) - used, "%s%s", used ? ", " : "", *name);
	}
	return greta_fail(error, GRETA_ERROR_DEVICE,
	    "%s cannot be opened; tried %s (%s): install it, or take the provider cpu", what, tried, reason);
}

void greta_vendor_library_close(void *library)
{
	if (library)
		dlclose(library);
}

_Bool greta_vendor_library_symbol(void *library, const char *symbol, void *out_function)
{
	void *address = dlsym(library, symbol);
	if (!address)
		return 0;
	memcpy(out_function, &address, sizeof(address));
	return 1;
}
