"""What the lab of this stage needs beside `flightline.point_in_time`."""
