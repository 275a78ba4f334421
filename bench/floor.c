// The floor under every container start: the system calls that no runtime can leave out, in C, and nothing else.
//
// usage: floor --lower DIR [--lower DIR]... --scratch DIR [--cgroup DIR] [--iterations N] [--paced N] [--program PATH]
//
//   start    clone3(INTO_CGROUP | NEWPID), overlay, unshare(NEWNS | NEWCGROUP), pivot_root, execve: until execve has happened
//   mounts   the same with proc, sysfs, tmpfs, devpts, mqueue and cgroup2 mounted, as every container has them
//   exec     clone3 into the cgroup and the PID namespace of a running container, setns, execve, until its end
//   paced    the same, N times at the pace of a kubelet's probes, 20 a second: caches are cold and processors asleep
//
// All in microseconds of wall time, from before clone3 until the end of file that a successful execve causes; "cpu" is the
// processor time of caller and child up to the child's end. Prints one line of JSON. Needs root, Linux 5.15 and, for more
// than the length of one option, 6.5 (lowerdir+).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { lowers_max = 128, iterations_max = 100000, paced_per_second = 20 };

static const char *lowers[lowers_max];
static int lower_count;
static int layers;
static const char *scratch, *cgroup, *program = "/bin/true";
static int iterations = 100, paced = 0;
// The writable layer of the launch at hand: each has one of its own that nobody has used, as each container has.
static char upper[32], work[32];

static void fail(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static int check(long result, const char *what) {
    if (result < 0)
        fail(what);
    return (int)result;
}

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double cpu_us(void) {
    double sum = 0;
    for (int who = 0; who < 2; who++) {
        struct rusage usage;
        getrusage(who == 0 ? RUSAGE_SELF : RUSAGE_CHILDREN, &usage);
        sum += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    }
    return sum;
}

static int make_mount(const char *type, const char *const options[][2], uint64_t attributes) {
    int fs = check(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type);
    for (int i = 0; options != NULL && options[i][0] != NULL; i++)
        check(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0), options[i][0]);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
    int mount = check(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes), type);
    close(fs);
    return mount;
}

static void attach(int mount, int root, const char *target) {
    if (mkdirat(root, target, 0755) < 0 && errno != EEXIST)
        fail(target);
    int place = check(openat(root, target, O_PATH | O_CLOEXEC | O_NOFOLLOW), target);
    check(syscall(SYS_move_mount, mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), target);
    close(place);
    close(mount);
}

static int make_overlay(void) {
    int fs = check(syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC), "overlay");
    for (int i = 0; i < lower_count; i++)
        check(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "lowerdir+", lowers[i], 0), lowers[i]);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "upperdir", upper, 0), upper);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "workdir", work, 0), work);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "overlay");
    return check(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0), "overlay");
}

static void start(int with_mounts, char *const arguments[]) {
    static const char *const dev_options[][2] = {{"mode", "755"}, {"size", "65536k"}, {NULL, NULL}};
    static const char *const pts_options[][2] = {{"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}, {NULL, NULL}};
    check(fchdir(layers), "layers");
    int root = make_overlay();
    int sysfs = with_mounts ? make_mount("sysfs", NULL, MOUNT_ATTR_RDONLY) : -1;
    check(unshare(CLONE_NEWNS | CLONE_NEWCGROUP), "unshare");
    check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "rslave");
    int anchor = check(open("../anchor", O_PATH | O_DIRECTORY | O_CLOEXEC), "anchor");
    check(syscall(SYS_move_mount, root, "", anchor, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "root");
    if (with_mounts) {
        attach(make_mount("proc", NULL, 0), root, "proc");
        attach(make_mount("tmpfs", dev_options, MOUNT_ATTR_NOSUID), root, "dev");
        attach(make_mount("devpts", pts_options, MOUNT_ATTR_NOSUID), root, "dev/pts");
        attach(make_mount("mqueue", NULL, MOUNT_ATTR_NODEV), root, "dev/mqueue");
        attach(make_mount("tmpfs", dev_options, MOUNT_ATTR_NODEV), root, "dev/shm");
        attach(sysfs, root, "sys");
        attach(make_mount("cgroup2", NULL, MOUNT_ATTR_RDONLY), root, "sys/fs/cgroup");
    }
    check(fchdir(root), "root");
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount");
    check(chdir("/"), "chdir");
    execve(arguments[0], arguments, (char *[]){NULL});
    fail(arguments[0]);
}

static void join(int target, char *const arguments[]) {
    check(setns(target, CLONE_NEWNS | CLONE_NEWCGROUP), "setns");
    execve(arguments[0], arguments, (char *[]){NULL});
    fail(arguments[0]);
}

// Clones; in the child runs `start` or `join`. Returns the pidfd when the child has executed its program.
static int launch(int mode, int cgroup_fd, int target, char *const arguments[]) {
    int ends[2], pidfd = -1;
    check(pipe2(ends, O_CLOEXEC), "pipe");
    struct clone_args clone = {
        .flags = CLONE_PIDFD | (mode < 2 ? CLONE_NEWPID : 0) | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)(cgroup_fd >= 0 ? cgroup_fd : 0),
    };
    if (check(syscall(SYS_clone3, &clone, sizeof clone), "clone3") == 0) {
        if (mode < 2)
            start(mode == 1, arguments);
        join(target, arguments);
    }
    close(ends[1]);
    char byte;
    if (read(ends[0], &byte, 1) != 0)
        fail("read");
    close(ends[0]);
    return pidfd;
}

// Outside of the time that is measured: runtimes make it when the container is created.
static void make_layer(void) {
    static int number;
    snprintf(upper, sizeof upper, "upper-%d", number);
    snprintf(work, sizeof work, "work-%d", number++);
    check(mkdirat(layers, upper, 0755), upper);
    check(mkdirat(layers, work, 0700), work);
}

static void reap(int pidfd) {
    siginfo_t info;
    check(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), "waitid");
    close(pidfd);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// `pause_us`: how long the caches have time to cool down before each.
static void measure(const char *name, int mode, int cgroup_fd, useconds_t pause_us, const char *end) {
    double *samples = calloc((size_t)iterations, sizeof *samples);
    if (samples == NULL)
        fail("memory");
    char *const once[] = {(char *)program, NULL};
    int target = -1, own = -1;
    if (mode == 2) {
        char *const waiter[] = {"/bin/sleep", "3600", NULL};
        own = check(open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC), "pid_for_children");
        make_layer();
        target = launch(0, cgroup_fd, -1, waiter);
    }
    double cpu = cpu_us();
    for (int i = 0; i < iterations; i++) {
        if (mode < 2)
            make_layer();
        if (pause_us > 0)
            usleep(pause_us);
        double begin = now_us();
        if (mode == 2)
            check(setns(target, CLONE_NEWPID), "setns");
        int pidfd = launch(mode, cgroup_fd, target, once);
        if (mode == 2)
            check(setns(own, CLONE_NEWPID), "setns");
        if (mode < 2)
            samples[i] = now_us() - begin;
        reap(pidfd);
        if (mode == 2)
            samples[i] = now_us() - begin;
    }
    cpu = (cpu_us() - cpu) / iterations;
    if (target >= 0) {
        syscall(SYS_pidfd_send_signal, target, SIGKILL, NULL, 0);
        reap(target);
        close(own);
    }
    qsort(samples, (size_t)iterations, sizeof *samples, by_size);
    printf("\"%s\":{\"p50\":%.0f,\"p99\":%.0f,\"min\":%.0f,\"cpu\":%.0f}%s", name, samples[iterations / 2],
           samples[iterations * 99 / 100], samples[0], cpu, end);
    free(samples);
}

int main(int count, char **arguments) {
    for (int i = 1; i + 1 < count; i += 2) {
        const char *value = arguments[i + 1];
        if (strcmp(arguments[i], "--lower") == 0 && lower_count < lowers_max)
            lowers[lower_count++] = value;
        else if (strcmp(arguments[i], "--scratch") == 0)
            scratch = value;
        else if (strcmp(arguments[i], "--cgroup") == 0)
            cgroup = value;
        else if (strcmp(arguments[i], "--iterations") == 0)
            iterations = atoi(value);
        else if (strcmp(arguments[i], "--paced") == 0)
            paced = atoi(value);
        else if (strcmp(arguments[i], "--program") == 0)
            program = value;
        else
            scratch = NULL, i = count;
    }
    if (scratch == NULL || lower_count == 0 || iterations < 1 || iterations > iterations_max ||
        paced < 0 || paced > iterations_max) {
        fprintf(stderr, "usage: floor --lower DIR [--lower DIR]... --scratch DIR [--cgroup DIR] [--iterations N] [--paced N] [--program PATH]\n");
        return 64;
    }
    check(chdir(scratch), scratch);
    char name[] = "layers-XXXXXX";
    if (mkdtemp(name) == NULL || (mkdir("anchor", 0755) < 0 && errno != EEXIST))
        fail(scratch);
    layers = check(open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), name);
    int cgroup_fd = cgroup == NULL ? -1 : check(open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), cgroup);
    printf("{\"iterations\":%d,\"unit\":\"us\",", iterations);
    measure("start", 0, cgroup_fd, 0, ",");
    measure("mounts", 1, cgroup_fd, 0, ",");
    measure("exec", 2, cgroup_fd, 0, "");
    if (paced > 0) {
        printf(",");
        iterations = paced;
        measure("paced", 2, cgroup_fd, 1000000 / paced_per_second, "");
    }
    printf("}\n");
    return 0;
}
