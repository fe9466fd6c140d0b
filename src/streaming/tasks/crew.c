#include "streaming/tasks/crew.h"

/* Queries start at different workers, so that two small batches run side by side. */
static struct worker *worker_of(const struct crew *crew, const struct task *task) {
    const struct worker_crew *self = (const struct worker_crew *)crew;
    return &self->workers[(self->query + task->number) % crew->size];
}

static void send(struct crew *crew, struct task *task) {
    struct worker_crew *self = (struct worker_crew *)crew;
    task->query = self->query;
    task->reply = &self->replies;
    mailbox_send(&worker_of(crew, task)->tasks, &task->message);
}

static struct task *receive(struct crew *crew, int64_t timeout_ms) {
    return (struct task *)mailbox_receive(&((struct worker_crew *)crew)->replies, timeout_ms);
}

static int64_t signs(struct crew *crew, const struct task *task) {
    return worker_signs(worker_of(crew, task));
}

static bool waits_for(struct crew *crew, const struct task *task, struct error *cause) {
    return worker_waits_for(worker_of(crew, task), cause);
}

void worker_crew_init(struct worker_crew *crew, struct worker *workers, size_t worker_count,
                      size_t query) {
    static const struct crew_ops ops = {send, receive, signs, waits_for};
    *crew = (struct worker_crew){.crew = {&ops, worker_count}, .workers = workers, .query = query};
    mailbox_init(&crew->replies);
}

void worker_crew_deinit(struct worker_crew *crew) {
    mailbox_deinit(&crew->replies);
}
