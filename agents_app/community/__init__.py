"""Flow 6: members of the community, students, answers to surveys, and what people earn."""
