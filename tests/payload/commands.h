/* The subcommands. Each gets its own arguments (argv[0] is the subcommand) and returns the exit status. */
#ifndef PAYLOAD_COMMANDS_H
#define PAYLOAD_COMMANDS_H

/* commands.c */
int command_true(char **argv);
int command_exit(char **argv);
int command_kill(char **argv);
int command_sleep(char **argv);
int command_pause(char **argv);
int command_echo(char **argv);
int command_cat(char **argv);
int command_write(char **argv);
int command_fds(char **argv);
int command_forks(char **argv);
int command_bomb(char **argv);
int command_children(char **argv);
int command_mem(char **argv);
int command_daemon(char **argv);
int command_mount(char **argv);
int command_tty(char **argv);
int command_spam(char **argv);
int command_close_stdin(char **argv);
int command_drain(char **argv);
int command_repeat(char **argv);
int command_read_slowly(char **argv);

/* syscalls.c */
int command_try_syscall(char **argv);

/* attacks.c */
int command_attack_swap(char **argv);
int command_attack_watch(char **argv);
int command_attack_mkdir(char **argv);
/* entering.c */
int command_attack_entering(char **argv);

/* payload.c */
int command_report(char **argv);
int command_probe(char **argv);
int command_hook_report(char **argv);

#endif
