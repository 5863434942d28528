/* A profiler's library of ranges that counts: built as libroctx64.so.4. */
#include <string.h>

int fake_depth, fake_pushes;

int roctxRangePushA(const char *name);
int roctxRangePop(void);

int roctxRangePushA(const char *name)
{
	fake_pushes += strcmp(name, "decode") == 0;
	return fake_depth++;
}

int roctxRangePop(void) { return --fake_depth; }
