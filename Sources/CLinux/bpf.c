#define _GNU_SOURCE
#include "bpf.h"

#include <errno.h>
#include <string.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct bpf_insn) == 8, "one instruction is 64 bits");

static const char program_name[BPF_OBJ_NAME_LEN] = "swiftlet_device";

static long bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : result;
}

long cl_bpf_load_cgroup_device(const uint64_t *instructions, uint32_t count, char *log, uint32_t log_size) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.expected_attach_type = BPF_CGROUP_DEVICE;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = count;
    // The program calls no helper, so that any licence is accepted (bpf(2)).
    attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, program_name, sizeof program_name);
    if (log_size > 0) {
        log[0] = 0;
        attributes.log_buf = (uint64_t)(uintptr_t)log;
        attributes.log_size = log_size;
        attributes.log_level = 1;
    }
    return bpf(BPF_PROG_LOAD, &attributes);
}

long cl_bpf_attach_cgroup_device(int cgroup, int program, int replaced) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced >= 0) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = (uint32_t)replaced;
    }
    return bpf(BPF_PROG_ATTACH, &attributes);
}

long cl_bpf_query_cgroup_device(int cgroup, uint32_t *ids, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = (uint32_t)cgroup;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uint64_t)(uintptr_t)ids;
    attributes.query.prog_cnt = count;
    long result = bpf(BPF_PROG_QUERY, &attributes);
    return result < 0 ? result : (long)attributes.query.prog_cnt;
}

long cl_bpf_program_by_id(uint32_t id) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_id = id;
    return bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}

long cl_bpf_program_is_ours(int program) {
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = (uint32_t)program;
    attributes.info.info_len = sizeof info;
    attributes.info.info = (uint64_t)(uintptr_t)&info;
    long result = bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);
    return result < 0 ? result : memcmp(info.name, program_name, sizeof program_name) == 0;
}
