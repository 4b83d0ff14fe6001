#include "ec2fs/engine/queue.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct job {
	uint64_t number;
	bool ready, running, again;
	int64_t due;      /* 0: no appointment */
	struct job *next; /* in the line of the ready */
};

struct queue {
	void (*run)(void *context, uint64_t number);
	void *context;
	pthread_mutex_t lock; /* guards all below; never held while a job runs */
	pthread_cond_t work;  /* workers: a job is ready, or the end */
	pthread_cond_t clock; /* the timer: an appointment was made, or the end */
	struct table jobs;
	struct job *first, **last;
	unsigned ready, workers, idle, most_workers;
	pthread_t *threads, timer;
	bool timer_runs, ending;
};

int64_t queue_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static bool same_number(const void *item, const void *key)
{
	return ((const struct job *)item)->number == *(const uint64_t *)key;
}

static struct job *job_make(struct queue *q, uint64_t number)
{
	struct job *j = table_find(&q->jobs, hash_u64(number), same_number, &number);

	if (!j) {
		j = xnew(struct job);
		j->number = number;
		table_add(&q->jobs, hash_u64(number), j);
	}
	return j;
}

/* A job with nothing before it is forgotten. */
static void job_settle(struct queue *q, struct job *j)
{
	if (j->ready || j->running || j->again || j->due)
		return;
	table_remove(&q->jobs, hash_u64(j->number), same_number, &j->number);
	free(j);
}

static struct job *take(struct queue *q)
{
	struct job *j = q->first;

	q->first = j->next;
	if (!q->first)
		q->last = &q->first;
	j->next = NULL;
	j->ready = false;
	q->ready--;
	return j;
}

static void line_up(struct queue *q, struct job *j);

static void *worker(void *context)
{
	struct queue *q = context;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		struct job *j;

		while (!q->first && !q->ending) {
			q->idle++;
			pthread_cond_wait(&q->work, &q->lock);
			q->idle--;
		}
		if (q->ending)
			break;
		j = take(q);
		j->running = true;
		pthread_mutex_unlock(&q->lock);
		q->run(q->context, j->number);
		pthread_mutex_lock(&q->lock);
		j->running = false;
		if (j->again) {
			j->again = false;
			line_up(q, j);
		} else {
			job_settle(q, j);
		}
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static void line_up(struct queue *q, struct job *j)
{
	j->due = 0;
	if (j->ready)
		return;
	if (j->running) {
		j->again = true;
		return;
	}
	j->ready = true;
	*q->last = j;
	q->last = &j->next;
	q->ready++;
	if (q->ready > q->idle && q->workers < q->most_workers && !q->ending &&
	    pthread_create(&q->threads[q->workers], NULL, worker, q) == 0)
		q->workers++;
	pthread_cond_signal(&q->work);
}

/* Lines up what is due; the time of the next appointment, or 0. */
static int64_t keep_appointments(struct queue *q)
{
	int64_t now = queue_now(), next = 0;

	for (size_t i = 0; i < q->jobs.capacity; i++) {
		struct job *j = q->jobs.cells[i].item;

		if (!j || !j->due)
			continue;
		if (j->due <= now)
			line_up(q, j);
		else if (!next || j->due < next)
			next = j->due;
	}
	return next;
}

static void *timer(void *context)
{
	struct queue *q = context;

	pthread_mutex_lock(&q->lock);
	while (!q->ending) {
		int64_t next = keep_appointments(q);
		struct timespec t = {.tv_sec = next / 1000000000, .tv_nsec = next % 1000000000};

		if (next)
			pthread_cond_timedwait(&q->clock, &q->lock, &t);
		else
			pthread_cond_wait(&q->clock, &q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

struct queue *queue_new(void (*run)(void *context, uint64_t number), void *context,
			unsigned workers)
{
	struct queue *q = xnew(struct queue);
	pthread_condattr_t monotonic;

	q->run = run;
	q->context = context;
	q->most_workers = workers;
	q->threads = xcalloc(workers, sizeof(*q->threads));
	q->last = &q->first;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->work, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&q->clock, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return q;
}

void queue_kick(struct queue *q, uint64_t number)
{
	pthread_mutex_lock(&q->lock);
	if (!q->ending)
		line_up(q, job_make(q, number));
	pthread_mutex_unlock(&q->lock);
}

void queue_kick_at(struct queue *q, uint64_t number, int64_t when)
{
	struct job *j;

	pthread_mutex_lock(&q->lock);
	if (!q->ending) {
		j = job_make(q, number);
		if (!j->ready && !j->again && (!j->due || when < j->due))
			j->due = when;
		if (!q->timer_runs)
			q->timer_runs = pthread_create(&q->timer, NULL, timer, q) == 0;
		pthread_cond_signal(&q->clock);
	}
	pthread_mutex_unlock(&q->lock);
}

void queue_stop(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->ending = true;
	pthread_cond_broadcast(&q->work);
	pthread_cond_broadcast(&q->clock);
	pthread_mutex_unlock(&q->lock);
	for (unsigned i = 0; i < q->workers; i++)
		pthread_join(q->threads[i], NULL);
	if (q->timer_runs)
		pthread_join(q->timer, NULL);
}

void queue_free(struct queue *q)
{
	for (size_t i = 0; i < q->jobs.capacity; i++)
		free(q->jobs.cells[i].item);
	table_free(&q->jobs);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->work);
	pthread_cond_destroy(&q->clock);
	free(q->threads);
	free(q);
}
