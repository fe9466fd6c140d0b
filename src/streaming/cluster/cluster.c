#include "streaming/cluster/cluster.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

/* How long a server of ours may take to end before it is killed. By then its queries have ended,
 * and nothing counts that is not committed. */
enum { SERVER_GRACE_MS = 5000 };

enum state { STARTING, UP, FAILED };

struct cluster {
    struct cluster_options options;
    struct stop *stop; // borrowed
    pthread_t thread;  // if a server is started
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

static void wait_for_close(struct cluster *cluster) {
    pthread_mutex_lock(&cluster->lock);
    while (!cluster->closing)
        pthread_cond_wait(&cluster->changed, &cluster->lock);
    pthread_mutex_unlock(&cluster->lock);
}

/* The server is killed with the thread that started it, so this one stays. */
static void *serve(void *argument) {
    struct cluster *cluster = argument;
    struct error err = {0};
    struct spark_server *server;
    (void)pthread_setname_np(pthread_self(), "spark"); // only for people
    if (!spark_server_start(&cluster->options.server, &server, &err)) {
        set_state(cluster, FAILED, &err);
        return NULL;
    }
    cluster->server = server;
    set_state(cluster, UP, NULL);
    wait_for_close(cluster);
    spark_server_stop(server, SERVER_GRACE_MS);
    return NULL;
}

bool cluster_open(const struct cluster_options *options, struct stop *stop, struct cluster **out,
                  struct error *err) {
    struct cluster *cluster = must_alloc(1, sizeof *cluster);
    *cluster = (struct cluster){.options = *options, .stop = stop};
    cluster->options.server.stop = stop;
    check(pthread_mutex_init(&cluster->lock, NULL) == 0);
    check(pthread_cond_init(&cluster->changed, NULL) == 0);
    *out = cluster;
    if (options->url != NULL) {
        cluster->state = UP;
        return true;
    }
    int failure = pthread_create(&cluster->thread, NULL, serve, cluster);
    if (failure == 0)
        return true;
    pthread_mutex_destroy(&cluster->lock);
    pthread_cond_destroy(&cluster->changed);
    free(cluster);
    return error_set(err, ERROR_RETRY, "start the thread of Spark's server: %s", strerror(failure));
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
    if (cluster->options.url == NULL) {
        pthread_mutex_lock(&cluster->lock);
        cluster->closing = true;
        pthread_cond_broadcast(&cluster->changed);
        pthread_mutex_unlock(&cluster->lock);
        check(pthread_join(cluster->thread, NULL) == 0);
    }
    pthread_mutex_destroy(&cluster->lock);
    pthread_cond_destroy(&cluster->changed);
    free(cluster);
}
