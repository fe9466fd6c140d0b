/* health_cases: what /metrics says while queries go through tests/unit/surfaces/health/
 * health_cases.h, as Prometheus would scrape it:
 *
 *     case NAME | ALERT…      which alerts must be firing at its end
 *     scrape                  every 15 seconds
 *     esports_stream_health{query="match_stream",state="unknown"} 0
 *     …                       what the rules may ask for: no histograms */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "health/health_scene.h"
#include "surfaces/metrics/metrics.h"

enum { SCRAPE_S = 15 };

static void scrape(struct health_scene *scene) {
    char *text = NULL, *rest;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    metrics_print(out, &scene->program);
    check(fclose(out) == 0);
    puts("scrape");
    rest = text;
    for (const char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (strncmp(line, "esports_stream_", 15) == 0 && strstr(line, "query=\"") != NULL &&
            strstr(line, "_bucket{") == NULL)
            puts(line);
    free(text);
}

int main(void) {
    streams_load();
    for (size_t i = 0; i < HEALTH_CASE_COUNT; i++) {
        struct health_scene scene;
        const struct health_case *one = &health_cases[i];
        printf("case %s | %s\n", one->name, one->alerts);
        scene_open(&scene);
        scene_play(&scene, one, SCRAPE_S, scrape);
        scene_close(&scene);
    }
    return 0;
}
