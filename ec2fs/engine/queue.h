/* Jobs by resource number: one at a time for each, many resources at once, at once or at a time. */
#ifndef EC2FS_ENGINE_QUEUE_H
#define EC2FS_ENGINE_QUEUE_H

#include <stdint.h>

struct queue;

/* run is called on a worker thread (at most workers of them, started when needed). No wake-ups
 * while there is nothing to do. */
struct queue *queue_new(void (*run)(void *context, uint64_t number), void *context,
			unsigned workers);
/* Ends the threads after the jobs that run now; what waits is forgotten, kicks do nothing any more.
 */
void queue_stop(struct queue *q);
/* After queue_stop. */
void queue_free(struct queue *q);

/* Runs the job of that number soon; once more if it runs right now. */
void queue_kick(struct queue *q, uint64_t number);
/* Runs it at that time of CLOCK_MONOTONIC (ns), or sooner if it was asked for sooner. */
void queue_kick_at(struct queue *q, uint64_t number, int64_t when);
/* CLOCK_MONOTONIC in ns. */
int64_t queue_now(void);

#endif
