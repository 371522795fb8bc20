"""From config and facts to a straight line of ops. Pure."""
