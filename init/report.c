/* What the hands tell the brain: one datagram a message, in the encoding of the plan (docs/protocol.md). */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hands.h"

enum { MESSAGE_MAX = 64 * 1024 };

struct message {
    uint8_t data[MESSAGE_MAX];
    size_t size;
};

/* One at a time, and never on the stack of a process whose memory may be limited to the last page. */
static struct message outgoing;

static void put(struct message *m, const void *data, size_t size) {
    if (size > sizeof m->data - m->size)
        size = sizeof m->data - m->size;
    memcpy(m->data + m->size, data, size);
    m->size += size;
}

static void put_number(struct message *m, uint64_t value, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    put(m, bytes, size);
}

static void put_int(struct message *m, int64_t value) {
    put_number(m, (uint64_t)value, 8);
}

static void put_bytes(struct message *m, struct bytes bytes) {
    put_number(m, bytes.size, 4);
    put(m, bytes.data, bytes.size);
}

static void put_text(struct message *m, const char *text) {
    if (text == NULL)
        text = "";
    put_bytes(m, (struct bytes){(const uint8_t *)text, strlen(text)});
    put(m, "", 1);
}

static struct message *begin(enum message_kind kind) {
    outgoing.size = 0;
    put_number(&outgoing, kind, 4);
    return &outgoing;
}

static int send_all(struct hands *h, const struct message *m, int fd) {
    struct iovec part = {.iov_base = (void *)(uintptr_t)m->data, .iov_len = m->size};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    ssize_t sent;
    do
        sent = sendmsg(h->brain, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int report_init(struct hands *h, pid_t pid) {
    struct message *m = begin(MESSAGE_INIT_PID);
    put_int(m, pid);
    return send_all(h, m, -1);
}

int report_gate(struct hands *h) {
    struct message *m = begin(MESSAGE_AT_GATE);
    put_int(m, h->at);
    return send_all(h, m, -1);
}

int report_failed(struct hands *h) {
    struct message *m = begin(MESSAGE_FAILED);
    put_int(m, h->at);
    put_int(m, h->failed_errno);
    put_text(m, h->failed_call);
    put_text(m, h->failed_detail);
    return send_all(h, m, -1);
}

int report_times(struct hands *h) {
    enum { OPS_MOST = 3000 }; /* what a message can hold; a longer plan is told in part */
    size_t count = h->plan->count < OPS_MOST ? h->plan->count : OPS_MOST;
    struct message *m = begin(MESSAGE_TIMES);
    put_bytes(m, (struct bytes){(const uint8_t *)h->times, count * sizeof *h->times});
    return send_all(h, m, -1);
}

int report_hook(struct hands *h, const struct hook_run *run) {
    struct message *m = begin(MESSAGE_HOOK_RAN);
    put_int(m, h->at);
    put_int(m, run->started);
    put_int(m, run->duration);
    put_int(m, run->pid);
    put_int(m, run->how);
    put_int(m, run->value);
    put_int(m, run->capabilities);
    put_text(m, run->step);
    put_int(m, run->stdout_size);
    put_int(m, run->stderr_size);
    put_bytes(m, run->out);
    put_bytes(m, run->err);
    return send_all(h, m, -1);
}

int report_console(struct hands *h, const char *name, int master) {
    struct message *m = begin(MESSAGE_CONSOLE_MASTER);
    put_text(m, name);
    return send_all(h, m, master);
}

int report_exited(struct hands *h, int status) {
    struct message *m = begin(MESSAGE_EXITED);
    put_int(m, status);
    return send_all(h, m, -1);
}

int report_executing(struct hands *h) {
    struct message *m = begin(MESSAGE_EXECUTING);
    put_int(m, h->at);
    return send_all(h, m, -1);
}

int report_seccomp_listener(struct hands *h, int fd) {
    struct message *m = begin(MESSAGE_SECCOMP_LISTENER);
    put_int(m, h->at);
    return send_all(h, m, fd);
}

int report_network_socket(struct hands *h, int fd) {
    struct message *m = begin(MESSAGE_NETWORK_SOCKET);
    put_int(m, h->at);
    return send_all(h, m, fd);
}

int report_handle(struct hands *h, const char *name, int fd) {
    struct message *m = begin(MESSAGE_HANDLE);
    put_text(m, name);
    return send_all(h, m, fd);
}

/* The one byte that the brain answers with. A brain that is gone is ECONNRESET: nothing may go on without it. */
int wait_for_go(struct hands *h) {
    char answer = 0;
    ssize_t got;
    do
        got = recv(h->brain, &answer, 1, 0);
    while (got < 0 && errno == EINTR);
    if (got == 1 && answer == 'G')
        return 0;
    if (got >= 0)
        errno = ECONNRESET;
    return -1;
}
