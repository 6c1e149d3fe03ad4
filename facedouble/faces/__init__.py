"""Who is where: faces found in pictures, carried by motion, linked to tracks."""
