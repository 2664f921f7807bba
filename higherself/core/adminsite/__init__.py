"""What the console is made of. Everything outside imports it from `higherself.core.admin`."""
