/* The brain's way to the container's network devices, without the brain being there. */
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hands.h"

/* A socket stays in the namespace in which it was opened, whoever has it; and the kernel asks for the privilege of who
 * opened it as well as of who writes to it (netlink_capable()). */
int do_network_socket(struct hands *h) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return fail(h, "socket", "NETLINK_ROUTE");
    int sent = report_network_socket(h, fd);
    int result = sent == 0 ? 0 : fail(h, "sendmsg", "the network socket");
    close(fd);
    return result;
}
