/* cluster.c: one thread owns the server from its start to its end, because the kernel kills the
 * server with the thread that started it. Queries wait for the state to change (cluster_await());
 * what ends their calls early is `halt`, which the thread sets when it sees a reason. */
#include "streaming/cluster/spark/cluster.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/system/thread.h"

/* How long a server of ours may take to end before it is killed. By then its queries have ended,
 * and nothing counts that is not committed. */
enum { SERVER_GRACE_MS = 5000, LOOK_EVERY_MS = 100 };

enum state { STARTING, UP, FAILED };

struct cluster {
    struct cluster_options options;
    struct stop *stop; // borrowed; the program's
    struct stop halt;
    atomic_int followed; // queries
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum state state; // guarded by lock, as all below
    bool closing;
    struct error error;          // why it failed
    struct spark_server *server; // owned by the thread
};

static void set_state(struct cluster *cluster, enum state state, const struct error *err) {
    pthread_mutex_lock(&cluster->lock);
    cluster->state = state;
    if (err != NULL)
        cluster->error = *err;
    pthread_cond_broadcast(&cluster->changed);
    pthread_mutex_unlock(&cluster->lock);
}

/* Sleeps between two looks. False: the cluster is being closed. */
static bool rest(struct cluster *cluster) {
    struct timespec until = clock_deadline(LOOK_EVERY_MS);
    pthread_mutex_lock(&cluster->lock);
    if (!cluster->closing)
        (void)pthread_cond_timedwait(&cluster->changed, &cluster->lock, &until);
    bool goes_on = !cluster->closing;
    pthread_mutex_unlock(&cluster->lock);
    return goes_on;
}

static bool must_halt(struct cluster *cluster) {
    struct error ignored;
    enum stop_level level = stop_read(cluster->stop);
    return level == STOP_NOW || (level != STOP_NOT && atomic_load(&cluster->followed) == 0) ||
           cluster_has_ended(cluster, &ignored);
}

static void watch(struct cluster *cluster) {
    while (rest(cluster))
        if (must_halt(cluster))
            stop_request(&cluster->halt, STOP_NOW);
}

/* The server is killed with the thread that started it, so this one stays. */
static void *serve(void *argument) {
    struct cluster *cluster = argument;
    struct error err = {0};
    (void)pthread_setname_np(pthread_self(), "spark"); // only for people
    if (cluster->options.url == NULL &&
        !spark_server_start(&cluster->options.server, &cluster->server, &err)) {
        set_state(cluster, FAILED, &err);
        return NULL;
    }
    set_state(cluster, UP, NULL);
    watch(cluster);
    if (cluster->server != NULL)
        spark_server_stop(cluster->server, SERVER_GRACE_MS);
    return NULL;
}

static void init(struct cluster *cluster) {
    stop_init(&cluster->halt);
    check(pthread_mutex_init(&cluster->lock, NULL) == 0);
    thread_condition_init(&cluster->changed);
}

static void deinit(struct cluster *cluster) {
    stop_deinit(&cluster->halt);
    pthread_mutex_destroy(&cluster->lock);
    pthread_cond_destroy(&cluster->changed);
    free(cluster);
}

bool cluster_open(const struct cluster_options *options, struct stop *stop, struct cluster **out,
                  struct error *err) {
    if (options->url == NULL && !spark_server_check(&options->server, err))
        return false;
    struct cluster *cluster = must_alloc(1, sizeof *cluster);
    *cluster = (struct cluster){.options = *options, .stop = stop};
    cluster->options.server.stop = stop;
    init(cluster);
    if (!thread_start(&cluster->thread, serve, cluster,
                      "cannot start the thread for the Spark server", err)) {
        deinit(cluster);
        return false;
    }
    *out = cluster;
    return true;
}

bool cluster_await(struct cluster *cluster, const struct connect_url **url, struct error *err) {
    pthread_mutex_lock(&cluster->lock);
    while (cluster->state == STARTING) // the start hears a stop, and has a time limit
        pthread_cond_wait(&cluster->changed, &cluster->lock);
    bool up = cluster->state == UP;
    if (up)
        *url = cluster->server != NULL ? spark_server_url(cluster->server) : cluster->options.url;
    else
        *err = cluster->error;
    pthread_mutex_unlock(&cluster->lock);
    return up;
}

struct stop *cluster_halt(struct cluster *cluster) {
    return &cluster->halt;
}

void cluster_note_followed(struct cluster *cluster, bool followed) {
    atomic_fetch_add(&cluster->followed, followed ? 1 : -1);
}

static struct spark_server *server_of(struct cluster *cluster) {
    pthread_mutex_lock(&cluster->lock);
    struct spark_server *server = cluster->state == UP ? cluster->server : NULL;
    pthread_mutex_unlock(&cluster->lock);
    return server;
}

bool cluster_has_ended(struct cluster *cluster, struct error *err) {
    struct spark_server *server = server_of(cluster);
    return server != NULL && spark_server_has_ended(server, err);
}

int cluster_server_pid(struct cluster *cluster) {
    struct spark_server *server = server_of(cluster);
    return server == NULL ? 0 : spark_server_pid(server);
}

const struct cluster_options *cluster_options_of(const struct cluster *cluster) {
    return &cluster->options;
}

void cluster_close(struct cluster *cluster) {
    if (cluster == NULL)
        return;
    pthread_mutex_lock(&cluster->lock);
    cluster->closing = true;
    pthread_cond_broadcast(&cluster->changed);
    pthread_mutex_unlock(&cluster->lock);
    check(pthread_join(cluster->thread, NULL) == 0);
    deinit(cluster);
}
