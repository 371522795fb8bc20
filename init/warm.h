/* A start that a container will need, begun beside the start of the brain. */
#pragma once

#include <stdbool.h>

void warm_up(int argc, char **argv);
