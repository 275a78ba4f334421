#pragma once

// posix_spawn(3) of a program with exactly the descriptors of `fds`: fds[i] becomes `first + i` below `targets`.
// All signals default, empty mask; everything that is not a target is closed. Negative: -errno, else the pid.
struct cl_spawn {
    const char *path;
    char *const *arguments;
    char *const *environment;
    // `fds[i]` of the caller becomes `targets[i]` of the child; the fds are above every target.
    const int *fds;
    const int *targets;
    unsigned fd_count;
    // -1: the caller's.
    int working_directory;
    // A new session instead of a new process group.
    int new_session;
};

long cl_spawn(const struct cl_spawn *spawn);
