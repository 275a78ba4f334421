// Stands before network plugins and notes how long each run takes. See README.md, "cni-timer".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stdout, "{\"cniVersion\":\"0.4.0\",\"code\":999,\"msg\":\"cni-timer: %s: %s\"}\n", what, strerror(errno));
    exit(1);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// The directory of this program, and the name by which it was called.
static void place(const char *called, char directory[PATH_MAX], const char **name) {
    const char *slash = strrchr(called, '/');
    if (slash == NULL) {
        errno = EINVAL;
        fail("called without a path");
    }
    *name = slash + 1;
    snprintf(directory, PATH_MAX, "%.*s", (int)(slash - called), called);
}

// A setting from the environment, or the first line of a file beside the program.
static void setting(const char *variable, const char *directory, const char *file, char value[PATH_MAX]) {
    const char *given = getenv(variable);
    if (given != NULL) {
        snprintf(value, PATH_MAX, "%s", given);
        return;
    }
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    FILE *stream = fopen(path, "re");
    if (stream == NULL || fgets(value, PATH_MAX, stream) == NULL)
        fail(path);
    value[strcspn(value, "\n")] = 0;
    fclose(stream);
}

static const char *word(const char *variable) {
    const char *value = getenv(variable);
    return value != NULL && *value != 0 ? value : "-";
}

int main(int argc, char **argv) {
    if (argc < 1)
        return 1;
    char directory[PATH_MAX], plugins[PATH_MAX], log[PATH_MAX + 8], plugin[2 * PATH_MAX];
    const char *name;
    place(argv[0], directory, &name);
    setting("CNI_TIMER_PLUGINS", directory, "plugins", plugins);
    snprintf(plugin, sizeof plugin, "%s/%s", plugins, name);
    if (getenv("CNI_TIMER_LOG") != NULL)
        snprintf(log, sizeof log, "%s", getenv("CNI_TIMER_LOG"));
    else
        snprintf(log, sizeof log, "%s/log", directory);

    long long start = now();
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        execv(plugin, argv);
        fail(plugin);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail("waitpid");
    long long end = now();

    // One write in append mode: lines of plugins that run side by side do not mix.
    int stream = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (stream >= 0) {
        dprintf(stream, "%s %s %s %lld %lld\n", word("CNI_CONTAINERID"), word("CNI_COMMAND"), name, start, end);
        close(stream);
    }
    if (WIFSIGNALED(status)) {
        raise(WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}
