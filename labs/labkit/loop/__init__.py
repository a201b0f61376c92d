"""What the lab of this stage needs beside `flightline.loop`."""
