#define _GNU_SOURCE
#include "tcp.h"
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

long cl_tcp_keep_alive(int fd, int idle, int interval, int count) {
    const int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0)
        return -errno;
    return 0;
}

struct request {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

struct answer {
    struct nlmsghdr head;
    union {
        struct inet_diag_msg found;
        struct nlmsgerr error;
        // Attributes follow.
        char rest[512];
    };
};

static int put_address(const struct sockaddr_storage *address, __be32 place[4], __be16 *port) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        memcpy(place, &v4->sin_addr, sizeof v4->sin_addr);
        *port = v4->sin_port;
        return 0;
    }
    if (address->ss_family != AF_INET6)
        return -EAFNOSUPPORT;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    memcpy(place, &v6->sin6_addr, sizeof v6->sin6_addr);
    *port = v6->sin6_port;
    return 0;
}

static long ask(const struct request *request, struct cl_tcp_peer *peer) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return -errno;
    struct answer answer;
    long result = 0;
    // The kernel answers within send(2).
    if (send(netlink, request, sizeof *request, 0) < 0)
        result = -errno;
    else if ((result = recv(netlink, &answer, sizeof answer, MSG_DONTWAIT)) < 0)
        result = -errno;
    close(netlink);
    if (result < 0)
        return result;
    if (result >= (long)(sizeof answer.head + sizeof answer.found) && answer.head.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
        peer->state = answer.found.idiag_state;
        peer->inode = answer.found.idiag_inode;
        return 0;
    }
    if (result >= (long)(sizeof answer.head + sizeof answer.error) && answer.head.nlmsg_type == NLMSG_ERROR &&
        answer.error.error < 0)
        return answer.error.error;
    return -EBADMSG;
}

long cl_find_tcp_peer(int fd, struct cl_tcp_peer *peer) {
    struct sockaddr_storage ours = {0}, theirs = {0};
    socklen_t ours_size = sizeof ours, theirs_size = sizeof theirs;
    if (getsockname(fd, (struct sockaddr *)&ours, &ours_size) < 0 ||
        getpeername(fd, (struct sockaddr *)&theirs, &theirs_size) < 0)
        return -errno;
    struct request request = {
        .head = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = (uint8_t)ours.ss_family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u},
    };
    struct inet_diag_sockid *id = &request.body.id;
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    int error = put_address(&theirs, id->idiag_src, &id->idiag_sport);
    if (!error)
        error = put_address(&ours, id->idiag_dst, &id->idiag_dport);
    return error ? error : ask(&request, peer);
}
