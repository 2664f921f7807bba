"""Flow 4: subscribers, posts, outreach, and campaigns from the plan to the results."""
