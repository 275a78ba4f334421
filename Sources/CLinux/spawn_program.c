#include "constants.h"
#include "spawn_program.h"

#include <spawn.h>
#include <stdbool.h>

static bool is_target(const struct cl_spawn *spawn, int fd) {
    for (unsigned i = 0; i < spawn->fd_count; i++)
        if (spawn->targets[i] == fd)
            return true;
    return false;
}

static int add_descriptors(const struct cl_spawn *spawn, posix_spawn_file_actions_t *actions) {
    int last = 2;
    int error = 0;
    for (unsigned i = 0; i < spawn->fd_count && error == 0; i++) {
        if (spawn->targets[i] > last)
            last = spawn->targets[i];
        error = posix_spawn_file_actions_adddup2(actions, spawn->fds[i], spawn->targets[i]);
    }
    for (int fd = 0; fd <= last && error == 0; fd++)
        if (!is_target(spawn, fd))
            error = posix_spawn_file_actions_addclose(actions, fd);
    if (error == 0 && spawn->working_directory >= 0)
        error = posix_spawn_file_actions_addfchdir_np(actions, spawn->working_directory);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, last + 1);
    return error;
}

static int set_attributes(const struct cl_spawn *spawn, posix_spawnattr_t *attributes) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setpgroup(attributes, 0);
    short session = spawn->new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
    if (error == 0)
        error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | session);
    return error;
}

long cl_spawn(const struct cl_spawn *spawn) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return -error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = add_descriptors(spawn, &actions);
        if (error == 0)
            error = set_attributes(spawn, &attributes);
        pid_t pid = 0;
        if (error == 0)
            error = posix_spawn(&pid, spawn->path, &actions, &attributes, spawn->arguments, spawn->environment);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return error != 0 ? -error : pid;
    }
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}
