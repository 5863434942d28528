#include "runtime/share.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define MOST_THREADS 64

struct share {
	const struct greta_shared_work *work;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock; /* of status and error */
	enum greta_status status;
	struct greta_error error;
};

struct helper {
	struct share *share;
	unsigned worker;
	pthread_t thread;
};

unsigned greta_share_threads(unsigned threads, size_t count)
{
	if (!threads) {
		cpu_set_t set;
		threads = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	}
	if (threads > MOST_THREADS)
		threads = MOST_THREADS;
	if (threads > count)
		threads = (unsigned)count;
	return threads ? threads : 1;
}

static void take_pieces(struct share *share, unsigned worker)
{
	const struct greta_shared_work *work = share->work;
	while (!atomic_load(&share->failed)) {
		size_t index = atomic_fetch_add(&share->next, 1);
		if (index >= work->count)
			break;
		struct greta_error error;
		enum greta_status status = work->work(work->context, index, worker, &error);
		if (status != GRETA_OK) {
			pthread_mutex_lock(&share->lock);
			if (share->status == GRETA_OK) {
				share->status = status;
				share->error = error;
			}
			pthread_mutex_unlock(&share->lock);
			atomic_store(&share->failed, true);
		} else if (worker == 0 && work->after) {
			work->after(work->context);
		}
	}
}

static void *help(void *pointer)
{
	struct helper *helper = pointer;
	take_pieces(helper->share, helper->worker);
	return NULL;
}

enum greta_status greta_share(const struct greta_shared_work *work, struct greta_error *error)
{
	struct share share = {.work = work, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct helper helpers[MOST_THREADS];
	unsigned threads = greta_share_threads(work->threads, work->count);
	unsigned started = 1;
	for (; started < threads; started++) {
		helpers[started] = (struct helper){.share = &share, .worker = started};
		if (pthread_create(&helpers[started].thread, NULL, help, &helpers[started]) != 0)
			break;
	}
	take_pieces(&share, 0);
	for (unsigned i = 1; i < started; i++)
		pthread_join(helpers[i].thread, NULL);
	pthread_mutex_destroy(&share.lock);
	if (share.status != GRETA_OK) {
		if (error)
			*error = share.error;
		return share.status;
	}
	if (work->after)
		work->after(work->context);
	return GRETA_OK;
}
