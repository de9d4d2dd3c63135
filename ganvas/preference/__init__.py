"""What people prefer: pages to choose on, rewards learnt from choices, and runs that make what people choose."""
