/* SPDX-License-Identifier: MIT */
/*
 * test_udp_many.c - many datagrams at once, in the way that was built into the library.
 */
#include "udp_many.h"

ANYC_TEST(test_udp_many__receives_all_that_are_there)
{
    peer_for_each_family(many_receive_all);
}

ANYC_TEST(test_udp_many__receives_no_more_than_there_is_room_for)
{
    peer_for_each_family(many_receive_in_parts);
}

ANYC_TEST(test_udp_many__waits_for_the_first)
{
    peer_for_each_family(many_receive_waits);
}

/* NT-R002 */
ANYC_TEST(test_udp_many__a_cancelled_receive_loses_nothing)
{
    peer_for_each_family(many_receive_cancelled);
}

/* NT-R006 */
ANYC_TEST(test_udp_many__says_which_were_cut)
{
    peer_for_each_family(many_receive_cut);
}

ANYC_TEST(test_udp_many__refuses_bad_arguments)
{
    peer_for_each_family(many_receive_arguments);
}

ANYC_TEST(test_udp_many__sends_all)
{
    peer_for_each_family(many_send_all);
}

ANYC_TEST(test_udp_many__sends_up_to_one_that_fails)
{
    peer_for_each_family(many_send_partly);
}

/* NT-R002 */
ANYC_TEST(test_udp_many__a_cancelled_send_sends_nothing)
{
    peer_for_each_family(many_send_cancelled);
}

ANYC_TEST(test_udp_many__knows_no_addresses_when_connected)
{
    peer_for_each_family(many_connected);
}

ANYC_TEST(test_udp_many__tells_a_refusal)
{
    peer_for_each_family(many_refused);
}
