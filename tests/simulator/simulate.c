/* simulate.c: lives many lives, in as many processes as there are cores, and says what they came
 * to.
 *
 *     simulate --lives 1000 --seed 1           seeds 1 to 1000
 *     simulate --seed 77 --trace               one life, step by step
 *     simulate --seed 77 --trace --off power --skip 2,3
 *
 * A life that fails ends its process, so this one starts another for the seeds that are left. It
 * then makes the life smaller: it switches parts of it off, one after the other, and keeps off what
 * the failure does not need. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "core/zone.h"
#include "counts.h"
#include "finding.h"
#include "life.h"
#include "scheduler.h"
#include "streaming/recovery/recovery_table.h"

enum { JOBS_MAX = 64, LIFE_SECONDS_MAX = 60 };

struct options {
    uint64_t seed;
    long lives;
    int jobs;
    int findings; // after so many it stops
    bool traces, hashes, demands, shrinks, lists_sites;
    const char *report; // a file to write
    bool each_call;     // is planted in turn
    struct life_switches switches;
};

/* One process of lives, shared with it. */
struct job {
    pid_t pid;
    uint64_t next, end; // seeds
    FILE *tallies;
    struct finding finding;
    uint64_t hash; // of all lives' hashes
    int processes; // of the newest life
};

static struct job *jobs;
static FILE *own_tallies;

/* ---- in a process of lives ---- */

/* "fsync file_draft_sync": where base/disk makes the call. */
static const char *call_text(const struct disk_site *site) {
    static char text[128];
    (void)snprintf(text, sizeof text, "%.*s %s", (int)strcspn(site->text, " "), site->text,
                   site->within);
    return text;
}

static void count_sites(void) {
    const struct disk_site *sites;
    size_t count = model_disk_sites(&sites);
    for (size_t i = 0; i < count; i++) {
        const struct disk_site *site = &sites[i];
        const char *name = site->text;
        counts_add(site->calls, "site calls: %s", name);
        counts_add(site->calls, "call: %s", call_text(site));
        if (!site->changes)
            continue;
        counts_add(site->kills, "call killed: %s", call_text(site));
        counts_add(site->cuts, "call cut: %s", call_text(site));
        counts_add(site->faults, "site faults: %s", name);
        counts_add(site->kills, "site kills: %s", name);
        counts_add(site->cuts, "site cuts: %s", name);
    }
}

static void write_tallies(void) {
    for (int i = 0; i < BROKER_EVENTS; i++)
        counts_add(model_broker_count((enum broker_event)i), "event: %s",
                   model_broker_event_name((enum broker_event)i));
    for (int i = 0; i < DISK_EVENTS; i++)
        counts_add(model_disk_count((enum disk_event)i), "disk: %s",
                   model_disk_event_name((enum disk_event)i));
    count_sites();
    counts_write(own_tallies);
}

static void end_too_long(int number) {
    (void)number;
    // The life is over; what it held is given up. NOLINTNEXTLINE(bugprone-signal-handler)
    found("the life takes more than %d seconds of real time", LIFE_SECONDS_MAX);
}

static void live_all(struct job *job, const struct options *options) {
    (void)signal(SIGALRM, end_too_long);
    for (; job->next < job->end; job->next++) {
        struct life_result result = {0};
        job->finding.seed = job->next;
        finding_set_up(&job->finding, options->switches.traces, options->switches.hashes);
        (void)alarm(LIFE_SECONDS_MAX);
        life_run(job->next, &options->switches, &result);
        job->hash = (job->hash ^ result.hash) * 1099511628211U;
        job->processes = result.processes;
        counts_add(1, "lives");
    }
    (void)alarm(0);
    (void)fflush(stdout);
}

_Noreturn static void live_lives(struct job *job, const struct options *options) {
    own_tallies = job->tallies;
    finding_write_tallies = write_tallies;
    live_all(job, options);
    write_tallies();
    _exit(0);
}

/* ---- outside of them ---- */

static void start(struct job *job, const struct options *options) {
    (void)fflush(stdout);
    job->finding.text[0] = '\0';
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0)
        live_lives(job, options);
    job->pid = pid; // not by the child, which shares it
}

/* Whether it ended with a finding. */
static bool ended_badly(struct job *job, int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        exit(2);
    if (job->finding.text[0] == '\0')
        (void)snprintf(job->finding.text, sizeof job->finding.text, "the program crashes (%s)",
                       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit");
    return true;
}

/* ---- making a life smaller ---- */

static bool fails(uint64_t seed, const struct options *options,
                  const struct life_switches *switches) {
    struct job *job = &jobs[JOBS_MAX];
    struct options one = *options;
    one.switches = *switches;
    one.switches.traces = false;
    job->next = seed;
    job->end = seed + 1;
    job->tallies = tmpfile();
    check(job->tallies != NULL);
    start(job, &one);
    int status;
    check(waitpid(job->pid, &status, 0) == job->pid);
    (void)fclose(job->tallies);
    return ended_badly(job, status);
}

static struct life_switches shrink(uint64_t seed, const struct options *options) {
    struct life_switches kept = options->switches, tried;
    for (int i = 0; i < 8; i++) {
        tried = kept;
        tried.skipped |= 1ULL << i;
        if (fails(seed, options, &tried))
            kept = tried;
    }
    for (int i = 0; i < LIFE_PARTS; i++) {
        tried = kept;
        tried.off |= 1U << i;
        if (fails(seed, options, &tried))
            kept = tried;
    }
    for (unsigned records = 1; records <= 8; records *= 2) {
        tried = kept;
        tried.records_most = records;
        if (!fails(seed, options, &tried))
            continue;
        kept = tried;
        break;
    }
    check(fails(seed, options, &kept)); // whose finding is shown
    return kept;
}

static void print_command(uint64_t seed, const struct life_switches *switches) {
    (void)printf("  replay it: %s --seed %" PRIu64 " --trace", program_invocation_name, seed);
    const char *separator = " --off ";
    for (int i = 0; i < LIFE_PARTS; i++)
        if ((switches->off & 1U << i) != 0) {
            (void)printf("%s%s", separator, life_part_names[i]);
            separator = ",";
        }
    separator = " --skip ";
    for (int i = 0; i < 8; i++)
        if ((switches->skipped & 1ULL << i) != 0) {
            (void)printf("%s%d", separator, i);
            separator = ",";
        }
    if (switches->records_most > 0)
        (void)printf(" --records %u", switches->records_most);
    (void)printf("\n");
}

static void report(struct job *job, const struct options *options) {
    uint64_t seed = job->finding.seed;
    (void)printf("seed %" PRIu64 ": %s\n", seed, job->finding.text);
    struct life_switches switches = options->switches;
    if (options->shrinks && fails(seed, options, &switches)) {
        switches = shrink(seed, options);
        (void)printf("  smaller: %s\n", jobs[JOBS_MAX].finding.text);
    } else if (options->shrinks) {
        (void)printf("  alone it does not fail: the lives before it matter\n");
    }
    print_command(seed, &switches);
}

/* ---- what the lives came to ---- */

static long zeros;

static void print_count(void *out, const char *name, long count) {
    (void)fprintf(out, "%10ld  %s\n", count, name);
}

/* They tidy up behind a call that has failed: in a thousand lives a kill there is not certain. */
static const char *const rare[] = {"unlink file_draft_replace", "unlink renamed_after_all",
                                   "unlink sync_and_close"};

static bool is_rare(const char *name) {
    for (size_t i = 0; i < sizeof rare / sizeof rare[0]; i++)
        if (strncmp(name, "call: ", 6) != 0 && strstr(name, rare[i]) != NULL)
            return true;
    return false;
}

static void count_zero(void *context, const char *name, long count) {
    (void)context;
    if (count != 0 || is_rare(name))
        return;
    zeros++;
    (void)printf("never reached: %s\n", name);
}

/* Every row of the table of recovery, and every event, is known before it is reached. */
static void know_names(void) {
    size_t count;
    const struct recovery_case *cases = recovery_cases(&count);
    for (size_t i = 0; i < count; i++)
        counts_add(0, "recovery: %s", cases[i].state);
    for (int i = 0; i < BROKER_EVENTS; i++)
        counts_add(0, "event: %s", model_broker_event_name((enum broker_event)i));
}

static const char *const demanded[] = {
    "recovery: ", "event: ", "call: ", "call killed: ", "call cut: "};

static const char *const shown[] = {
    "recovery: ", "accident: ", "event: ", "disk: ", "end: ", "look: "};

static void print_counts(FILE *out) {
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        counts_each(shown[i], print_count, out);
}

static void print_all(const struct options *options, double seconds) {
    long lives = counts_of("lives");
    print_counts(stdout);
    if (options->lists_sites)
        counts_each("site ", print_count, stdout);
    (void)printf("%10ld  lives in %.1f s, %.0f a second\n", lives, seconds,
                 (double)lives / seconds);
}

static void count_one(void *count, const char *name, long calls) {
    (void)name;
    *(long *)count += calls > 0;
}

/* ---- the report, for bench/results/ ---- */

static const char *const report_head =
    "# Simulator\n\nAll recorded runs of version " PROGRAM_VERSION
    ", and their sums. What the counts mean is in\n"
    "[docs/internals/simulator.md](../../docs/internals/simulator.md).\n\n";

/* What an earlier run of this version has written: its counts are added, its runs are copied. */
static void take_report(const char *path, FILE *runs) {
    FILE *in = fopen(path, "r");
    char line[1024];
    size_t size = 0;
    scoped(scope_free) char *text = NULL;
    if (in == NULL)
        return;
    bool is_same =
        getdelim(&text, &size, '-', in) > 0 && strncmp(text, report_head, strlen(report_head)) == 0;
    rewind(in);
    while (is_same && fgets(line, sizeof line, in) != NULL) {
        char *name;
        long count = strtol(line, &name, 10);
        if (strncmp(line, "- ", 2) == 0)
            (void)fputs(line, runs);
        if (name == line)
            continue;
        name[strcspn(name, "\n")] = '\0';
        counts_add(count, "%s", name + strspn(name, " "));
    }
    (void)fclose(in);
}

static void write_report(const struct options *options, double seconds, int findings) {
    scoped(scope_free) char *runs = NULL;
    size_t size;
    long sites = 0;
    FILE *list = open_memstream(&runs, &size);
    check(list != NULL);
    counts_each("site calls: ", count_one, &sites);
    take_report(options->report, list);
    (void)fprintf(list,
                  "- `make simulate LIVES=%ld SEED=%" PRIu64
                  "`: %d findings, %ld call sites of the disk; %.0f s, %d processes\n",
                  options->lives, options->seed, findings, sites, seconds, options->jobs);
    check(fclose(list) == 0);
    FILE *out = fopen(options->report, "w");
    if (out == NULL) {
        (void)fprintf(stderr, "%s: %s\n", options->report, strerror(errno));
        exit(2);
    }
    (void)fprintf(out, "%s%s\n```text\n%10ld  lives\n", report_head, runs, counts_of("lives"));
    print_counts(out);
    (void)fprintf(out, "```\n");
    check(fclose(out) == 0);
}

static void demand_all(void) {
    for (size_t i = 0; i < sizeof demanded / sizeof demanded[0]; i++)
        counts_each(demanded[i], count_zero, NULL);
}

/* ---- each call of the disk, planted ---- */

/* A child that lives the same lives with one call planted. */
static pid_t start_planted(size_t site, enum site_plant plant, struct job *job,
                           const struct options *options) {
    (void)fflush(stdout);
    job->next = options->seed;
    job->end = options->seed + (uint64_t)options->lives;
    job->finding.text[0] = '\0';
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
        model_disk_plant(site, plant);
        counts_clear();
        live_lives(job, options);
    }
    job->pid = pid;
    return pid;
}

struct planted {
    size_t site;
    enum site_plant plant;
};

static void end_planted(const struct planted *planted, struct job *job, int status,
                        const struct disk_site *sites) {
    static const char *const names[] = {"", "left out", "swapped"};
    bool noticed = ended_badly(job, status);
    job->finding.text[strcspn(job->finding.text, "\n")] = '\0';
    (void)printf("%s | %s | %s | %ld calls%s%.120s\n", noticed ? "noticed" : "survives",
                 names[planted->plant], sites[planted->site].text, sites[planted->site].calls,
                 noticed ? " | " : "", noticed ? job->finding.text : "");
}

static void print_own_finding(void) {
    (void)printf("%s\n", jobs[JOBS_MAX].finding.text);
}

/* The lives without a planted call first, in this process: they tell which calls there are. */
static int plant_each(const struct options *options) {
    struct planted running[JOBS_MAX] = {0};
    const struct disk_site *sites;
    struct job *plain = &jobs[JOBS_MAX];
    own_tallies = tmpfile();
    plain->next = options->seed;
    plain->end = options->seed + (uint64_t)options->lives;
    finding_write_tallies = print_own_finding;
    live_all(plain, options);
    size_t count = model_disk_sites(&sites), next = 0, busy = 0;
    for (;;) {
        for (int i = 0; i < options->jobs && next < count * 2; i++) {
            while (next < count * 2 && !sites[next / 2].changes)
                next++;
            if (jobs[i].pid != 0 || next >= count * 2)
                continue;
            running[i] = (struct planted){next / 2, next % 2 == 0 ? SITE_LEFT_OUT : SITE_SWAPPED};
            next++;
            jobs[i].tallies = own_tallies;
            busy += start_planted(running[i].site, running[i].plant, &jobs[i], options) > 0;
        }
        if (busy == 0)
            return 0;
        int status, i = 0;
        pid_t pid = wait(&status);
        while (jobs[i].pid != pid)
            i++;
        end_planted(&running[i], &jobs[i], status, sites);
        jobs[i].pid = 0;
        busy--;
    }
}

/* ---- options ---- */

static void set_off(struct life_switches *switches, char *names) {
    char *rest;
    for (char *name = strtok_r(names, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
        for (int i = 0; i < LIFE_PARTS; i++)
            if (strcmp(name, life_part_names[i]) == 0)
                switches->off |= 1U << i;
}

static void set_skipped(struct life_switches *switches, char *numbers) {
    char *rest;
    for (char *number = strtok_r(numbers, ",", &rest); number != NULL;
         number = strtok_r(NULL, ",", &rest))
        switches->skipped |= 1ULL << strtol(number, NULL, 10);
}

static void read_options(int count, char **arguments, struct options *options) {
    static const struct option known[] = {
        {"lives", required_argument, NULL, 'l'},
        {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},
        {"findings", required_argument, NULL, 'f'},
        {"trace", no_argument, NULL, 't'},
        {"hash", no_argument, NULL, 'h'},
        {"demand", no_argument, NULL, 'd'},
        {"no-shrink", no_argument, NULL, 'n'},
        {"off", required_argument, NULL, 'o'},
        {"skip", required_argument, NULL, 'k'},
        {"records", required_argument, NULL, 'r'},
        {"each-call", no_argument, NULL, 'p'},
        {"report", required_argument, NULL, 'w'},
        {"sites", no_argument, NULL, 'S'},
        {NULL, 0, NULL, 0},
    };
    *options = (struct options){.seed = 1, .lives = 1, .jobs = 1, .findings = 1, .shrinks = true};
    int option;
    while ((option = getopt_long(count, arguments, "", known, NULL)) != -1)
        switch (option) {
        case 'l':
            options->lives = strtol(optarg, NULL, 10);
            break;
        case 's':
            options->seed = strtoull(optarg, NULL, 10);
            break;
        case 'j':
            options->jobs = (int)strtol(optarg, NULL, 10);
            break;
        case 'f':
            options->findings = (int)strtol(optarg, NULL, 10);
            break;
        case 't':
            options->switches.traces = true;
            break;
        case 'h':
            options->hashes = options->switches.hashes = true;
            break;
        case 'd':
            options->demands = true;
            break;
        case 'n':
            options->shrinks = false;
            break;
        case 'o':
            set_off(&options->switches, optarg);
            break;
        case 'k':
            set_skipped(&options->switches, optarg);
            break;
        case 'r':
            options->switches.records_most = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'p':
            options->each_call = true;
            break;
        case 'w':
            options->report = optarg;
            break;
        case 'S':
            options->lists_sites = true;
            break;
        default:
            exit(2);
        }
    if (options->lives < 1 || options->jobs < 1 || options->jobs > JOBS_MAX)
        exit(2);
    options->shrinks = options->shrinks && !options->switches.traces;
}

/* ---- all of them ---- */

static int run_all(const struct options *options, uint64_t *hash) {
    int findings = 0, running = options->jobs;
    for (int i = 0; i < options->jobs; i++) {
        jobs[i].next = options->seed + (uint64_t)(options->lives * i / options->jobs);
        jobs[i].end = options->seed + (uint64_t)(options->lives * (i + 1) / options->jobs);
        jobs[i].tallies = tmpfile();
        check(jobs[i].tallies != NULL);
        start(&jobs[i], options);
    }
    while (running > 0) {
        int status, i = 0;
        pid_t pid = wait(&status);
        while (i < options->jobs && jobs[i].pid != pid)
            i++;
        check(pid > 0 && i < options->jobs);
        bool bad = ended_badly(&jobs[i], status);
        if (bad)
            report(&jobs[i], options);
        findings += bad;
        jobs[i].next += bad;
        if (bad && findings < options->findings && jobs[i].next < jobs[i].end)
            start(&jobs[i], options);
        else
            running--;
        if (findings >= options->findings)
            for (int other = 0; other < options->jobs; other++)
                jobs[other].end = 0;
    }
    for (int i = 0; i < options->jobs; i++) {
        *hash = (*hash ^ jobs[i].hash) * 1099511628211U;
        rewind(jobs[i].tallies);
        counts_read(jobs[i].tallies);
    }
    return findings;
}

int main(int argc, char **argv) {
    struct options options;
    uint64_t hash = 0;
    read_options(argc, argv, &options);
    streams_load();
    // Large tables that a life hardly uses come zeroed from the kernel, page by page.
    check(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
    jobs = mmap(NULL, (JOBS_MAX + 1) * sizeof *jobs, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(jobs != MAP_FAILED);
    if (options.each_call)
        return plant_each(&options);
    double began = scheduler_real_seconds();
    int findings = run_all(&options, &hash);
    double seconds = scheduler_real_seconds() - began;
    know_names();
    if (!options.switches.traces)
        print_all(&options, seconds);
    if (options.demands)
        demand_all();
    if (options.report != NULL)
        write_report(&options, seconds, findings);
    if (options.hashes)
        (void)printf("hash %016" PRIx64 "\n", hash);
    return findings > 0 ? 1 : zeros > 0 ? 3 : 0;
}
