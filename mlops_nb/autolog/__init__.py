"""Records what a notebook does without being asked, and undoes every patch."""
