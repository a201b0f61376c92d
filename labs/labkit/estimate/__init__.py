"""What lab 02 alone needs: training runs that others have published."""
