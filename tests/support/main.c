/* SPDX-License-Identifier: MIT */
/*
 * main.c - the main() of test programs that bring none; alone in its file so that theirs wins.
 */
#include <anyc/testing.h>

int main(int argc, char **argv)
{
    return anyc_testing_main(argc, argv);
}
