"""What wraps any networks."""
